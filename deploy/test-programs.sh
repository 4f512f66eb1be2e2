#!/bin/sh
# The programs that tests and the benchmark drive. As root missing ones are installed with apt;
# otherwise this says what to install. Arguments: postgresql redis chromium fonts wrk nginx apache node.
set -eu

found() {
    case $1 in
        postgresql) command -v initdb || ls /usr/lib/postgresql/*/bin/initdb ;;
        redis) command -v redis-server ;;
        chromium) command -v chromium ;;
        fonts) fc-list :lang=zh-cn | grep . || ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ;;
        apache) [ -x /usr/sbin/apache2 ] && ls /usr/lib/apache2/modules/mod_auth_openidc.so ;;
        node) node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && command -v npm ;;
        wrk) command -v wrk ;;
        nginx) command -v nginx || ls /usr/sbin/nginx ;;
    esac >/dev/null 2>&1
}

package_of() {
    case $1 in
        redis) echo redis-server ;;
        fonts) echo fonts-noto-cjk ;;
        nginx) echo nginx-light ;;
        apache) echo apache2-bin libapache2-mod-auth-openidc ;; # without apache2, which would serve port 80
        node) echo nodejs npm ;;
        *) echo "$1" ;;
    esac
}

missing=
for program in "$@"; do
    found "$program" || missing="$missing $(package_of "$program")"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of package names
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null </dev/null && exit 0
fi
echo "Missing for this:$missing. Install with: sudo apt-get install$missing" >&2
exit 1
