// Single keys for the whole page; a field that is being typed in keeps its own.
import { useEffect, useRef } from "preact/hooks";

const TYPED = "input, select, textarea, [contenteditable]";
const PRESSED = "button, a, summary";

export function useKeys(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPED)) return;
      // Space on a button is a click on it.
      if (event.key === " " && event.target.closest(PRESSED)) return;
      const shifted = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
      const action = latest.current[shifted];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
