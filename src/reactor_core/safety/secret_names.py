"""Files and folders that keep secrets, by their names."""

from __future__ import annotations

import posixpath
import re

__all__ = ["secret"]

_SECRET_NAME = re.compile(
    r"\.env(\..+)?|.+\.env|\.envrc|id_(rsa|dsa|ecdsa|ed25519|xmss)(_[^.]*)?|.+\.(pem|key|p12"
    r"|pfx|jks|keystore|kdbx?|ppk|asc\.key|gpg|age|ovpn|p8)"
    r"|\.netrc|_netrc|\.git-credentials|\.pgpass|\.my\.cnf|\.htpasswd|\.vault-token|\.pypirc"
    r"|\.npmrc|\.dockercfg|\.boto|\.s3cfg|\.vault_pass.*"
    r"|credentials(\.(json|ya?ml|toml|ini|db|tfrc\.json|csv|xml))?|client_secrets?.*\.json|application_default_credentials\.json"
    r"|service[-_]?account.*\.json|.*secrets?\.(json|ya?ml|toml|ini|env|txt|tfvars|properties"
    r"|xml|enc)|\.secrets?|.*[-_.]token(\.json|\.txt)?|token(\.json|\.txt)?"
    r"|.*passwords?\.(txt|csv|json|ya?ml|db|kdbx)|passwords?|wallet\.dat|accessTokens\.json|rclone\.conf"
    r"|kubeconfig|.*\.kubeconfig|master\.key|keytab|.*\.keytab"
    r"|api[-_]?keys?(\..+)?|secret[-_]key.*|logins\.json|key[34]\.db|cookies\.sqlite|Cookies"
    r"|Login Data|\.cookies|cookie-jar.*|\.Xauthority|ssh_host_[a-z0-9]+_key"
    r"|shadow-?|gshadow-?|htpasswd|.*\.tfvars"
)
_NO_SECRET = re.compile(
    r".*\.pub|\.?env?\.(example|sample|template|dist|defaults?|tpl)|.*\.(example|sample|template"
    r"|dist|tpl)(\.[a-z]+)?|.*(example|sample|template)\.(json|ya?ml|env)"
    r"|(ca|cert|certs|chain|fullchain|cacert|public|.*[-_.](cert|crt|public|ca|chain))\.pem|.*\.(test"
    r"|spec|stories)\.[a-z]+|public\.key"
    r"|.*\.(py|ts|js|tsx|go|rs|java|md|rb|c|h|cc|cpp|html|css|rst|lock)"
)
_SECRET_FOLDER = re.compile(
    r".*/\.(ssh|gnupg|aws|azure|password-store|kube|oci|docker)/(.*)|.*/\.config/(gcloud|gh|hub"
    r"|doctl|op|rclone|stripe|glab-cli|heroku|netlify|fly)(/.*)?"
    r"|.*/\.docker/config\.json|/etc/ssl/private(/.*)?|/run/secrets(/.*)?|/var/run/secrets(/.*)?"
    r"|/proc/(\d+|self|\*)/environ|.*/\.(ssh|gnupg|aws|password-store)"
    r"|.*/\.local/share/keyrings(/.*)?|.*/Library/Keychains(/.*)?|.*/\.huggingface/token|.*/\.cache/huggingface/token"
    r"|.*/\.terraform\.d/credentials.*"
    r"|/etc/kubernetes/(pki/.*|admin\.conf)|/etc/letsencrypt/(live|archive)(/.*)?|.*/\.mozilla/firefox/.+/(logins\.json"
    r"|key4\.db|cookies\.sqlite)"
    r"|.*/\.(config/google-chrome|config/chromium)/.+/(Cookies|Login Data)|/etc/wireguard(/.*)?"
    r"|/etc/sudoers(\.d(/.*)?)?|.*/\.electrum/wallets(/.*)?"
)
_OPEN_IN_SECRET_FOLDER = re.compile(
    r".*/\.ssh/(known_hosts.*|config|authorized_keys2?|.*\.pub)|.*/\.aws/(config|cli/.*)|.*/\.docker/(cli-plugins"
    r"|buildx|contexts)(/.*)?"
    r"|.*/\.gnupg/(pubring.*|gpg\.conf|gpg-agent\.conf)|.*/\.azure/(config|clouds\.config)|.*/\.kube/cache(/.*)?"
    r"|.*/\.config/gcloud/(configurations|logs)(/.*)?"
    r"|.*/\.config/(gh|glab-cli)/config\.yml|/etc/letsencrypt/live/[^/]+/(fullchain|cert|chain)\.pem|.*/\.docker"
)


def secret(path: str) -> bool:
    """Whether a file keeps a secret, or a folder secrets, by its name and place."""
    if _OPEN_IN_SECRET_FOLDER.fullmatch(path):
        return False
    if _SECRET_FOLDER.fullmatch(path):
        return True
    name = posixpath.basename(path)
    return _SECRET_NAME.fullmatch(name) is not None and _NO_SECRET.fullmatch(name) is None
