#!/bin/sh
# Removes everything that this image never uses from a Debian root file system, except the licences.
set -eu

# Perl and git's Perl scripts, because the git commands that run here are C programs; and the tools for packages and
# file systems.
dpkg --purge --force-depends --force-remove-essential --force-remove-protected \
  perl perl-modules-5.36 libperl5.36 liberror-perl perl-base debconf apt libapt-pkg6.0 e2fsprogs logsave mount >/dev/null 2>&1
(cd /usr/lib/git-core && rm -f git-daemon git-http-backend git-http-fetch git-http-push git-imap-send git-shell scalar \
  git-sh-i18n--envsubst && ln -sf ../../bin/git git)
(cd /usr/bin && rm -f scalar git-shell git-receive-pack git-upload-archive tini-static ssh-add ssh-agent ssh-keyscan)
rm -f /usr/lib/openssh/ssh-keysign
# All text is UTF-8, so no other encodings are needed.
rm -rf /usr/lib/*-linux-gnu/gconv

# Nothing is installed from here on. The list of installed packages stays, because vulnerability scanners read it.
rm -rf /usr/bin/dpkg* /usr/sbin/dpkg* /usr/lib/dpkg /usr/share/dpkg /usr/bin/update-alternatives /usr/sbin/start-stop-daemon \
  /var/lib/dpkg/info /var/lib/dpkg/triggers /var/lib/dpkg/alternatives

find /usr/share/doc -mindepth 1 \( -type f -o -type l \) ! -name copyright -delete
find /usr/share/doc -mindepth 1 -type d -empty -delete
rm -rf /usr/share/man /usr/share/info /usr/share/locale /usr/share/bash-completion /usr/share/lintian /usr/share/gitweb \
  /usr/share/perl /usr/lib/x86_64-linux-gnu/perl /usr/share/git-core/contrib /usr/share/vim /usr/share/bug \
  /var/lib/apt/lists /var/cache/apt /var/cache/debconf/* /var/lib/dpkg/*-old /var/log/* /tmp/* /var/tmp/*

# The default user of the image. Any other user id works as well.
echo 'appuser:x:65532:65532::/home/appuser:/usr/sbin/nologin' >>/etc/passwd
echo 'appuser:x:65532:' >>/etc/group
mkdir -p /home/appuser /data
chown 65532:65532 /home/appuser /data
