"""How well a clip holds together in time, measured with numpy alone."""
