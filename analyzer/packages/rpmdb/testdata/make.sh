#!/bin/bash
# Makes the databases in this folder; README.md describes them. Needs a rpm with the
# sqlite, ndb and bdb_ro backends, rpmbuild, gpg, sqlite3, and perl with DB_File.
set -euo pipefail
out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work LC_ALL=C.UTF-8

# spec NAME VERSION SUMMARY writes a spec that continues with standard input.
spec() {
	{ printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: %s\nLicense: none\n' "$1" "$2" "$3"; cat; } > "$1-$2.spec"
}
spec folders 1.0 'Several folders and odd names' << 'END'
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/usr/bin '%{buildroot}/usr/share/folders/with space' %{buildroot}/etc %{buildroot}/var/log
echo a > %{buildroot}/usr/bin/folders
echo b > '%{buildroot}/usr/share/folders/with space/a "quoted" name'
echo c > "%{buildroot}/usr/share/folders/$(printf 'latin1-\377')"
echo d > %{buildroot}/usr/share/folders/ünïcode
echo e > '%{buildroot}/usr/share/folders/back\slash'
echo f > %{buildroot}/etc/folders.conf
echo g > %{buildroot}/rootfile
echo h > %{buildroot}/var/log/folders.log
ln -s folders %{buildroot}/usr/bin/folders-link
%files
%dir /
/usr/bin/*
/usr/share/folders
%config /etc/folders.conf
/rootfile
%ghost /var/log/folders.log
END
spec epoch 1.0~rc1 'Has an epoch' << 'END'
Epoch: 2
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/opt/epoch; echo a > %{buildroot}/opt/epoch/file
%files
/opt/epoch
END
spec twice 1.0 'Two versions of it are installed' << 'END'
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/opt/twice-1.0; echo 1.0 > %{buildroot}/opt/twice-1.0/file
%files
/opt/twice-1.0
END
spec twice 2.0 'Two versions of it are installed' << 'END'
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/opt/twice-2.0; echo 2.0 > %{buildroot}/opt/twice-2.0/file
%files
/opt/twice-2.0
END
spec arches 1.0 'Two architectures of it are installed' << 'END'
%description
%install
mkdir -p %{buildroot}/opt/arches; echo a > %{buildroot}/opt/arches/%{_target_cpu}
# The same path in both: the start of a program of 32 or 64 bits.
%ifarch x86_64
printf '\177ELF\2\1\1%%09d\2\0\76\0\1\0\0\0%%044d' 0 0 | tr 0 '\0' > %{buildroot}/opt/arches/program
%else
printf '\177ELF\1\1\1%%09d\2\0\3\0\1\0\0\0%%032d' 0 0 | tr 0 '\0' > %{buildroot}/opt/arches/program
%endif
chmod 755 %{buildroot}/opt/arches/program
%files
/opt/arches/%{_target_cpu}
/opt/arches/program
END
spec many 1.0 'Its header needs many pages' << 'END'
BuildArch: noarch
%description
%install
for d in $(seq 10); do
  mkdir -p %{buildroot}/usr/lib/many/folder-$d
  for f in $(seq 40); do touch %{buildroot}/usr/lib/many/folder-$d/file-with-a-long-name-$f; done
done
%files
/usr/lib/many
END
spec moved 1.0 'Is installed in another folder' << 'END'
BuildArch: noarch
Prefix: /opt/moved
%description
%install
mkdir -p %{buildroot}/opt/moved/bin; echo a > %{buildroot}/opt/moved/bin/moved; echo b > %{buildroot}/opt/moved/README
%files
/opt/moved
END
# Its header of about 4300 bytes is one of those of which SQLite keeps as little as
# possible in the b-tree page.
spec empty 1.0 'Has no files' << END
BuildArch: noarch
%description
$(printf 'word %.0s' {1..610})
%files
END
spec replacing 1.0 'Is installed over a file of another package' << 'END'
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/usr/bin; echo replaced > %{buildroot}/usr/bin/folders; echo h > %{buildroot}/usr/bin/replacing
%files
/usr/bin/folders
/usr/bin/replacing
END
for target in x86_64 i686; do
	for s in *.spec; do
		rpmbuild -bb --quiet --target $target --define "_topdir $work/build" --define "_rpmdir $work/rpms" \
			--define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{ARCH}.rpm' \
			--define '_invalid_encoding_terminates_build 0' "$s"
	done
done
gpg --batch --quiet --passphrase '' --quick-gen-key test rsa2048 sign never
gpg --armor --export test > key

for backend in sqlite ndb; do
	rpm() { command rpm --define "_db_backend $backend" --define '_transaction_color 3' --define '_prefer_color 2' --root "$work/$backend" --dbpath /db "$@"; }
	install() { rpm -i --nodeps --nosignature --ignorearch "$@"; }
	rpm --import key
	install rpms/many-*
	install rpms/{folders,epoch,empty}-*
	rpm -e many # leaves free pages behind
	install rpms/many-*
	install rpms/twice-1.0-*
	install --force rpms/twice-2.0-*
	install rpms/arches-1.0-x86_64.rpm
	install --force rpms/arches-1.0-i686.rpm
	install --relocate /opt/moved=/srv/elsewhere rpms/moved-*
	install --replacefiles rpms/replacing-*
done

# The same headers in hash tables of Berkeley DB, which rpm no longer writes. The entry
# with the key 0 is rpm's highest number. Erased entries leave free pages behind.
sqlite3 sqlite/db/rpmdb.sqlite 'SELECT hnum, hex(blob) FROM Packages' > headers
for order in 1234/4096/bdb 4321/512/bdb-bigendian; do
	IFS=/ read -r lorder size dir <<< "$order"
	mkdir -p "$dir/db"
	perl -e '
		use DB_File; use Fcntl;
		my ($file, $lorder, $size) = @ARGV;
		my $info = new DB_File::HASHINFO;
		$info->{lorder} = $lorder; $info->{bsize} = $size;
		my $db = tie(my %h, "DB_File", $file, O_RDWR|O_CREAT, 0644, $info) or die $!;
		my $pack = $lorder == 4321 ? "N" : "V";
		my $highest = 0;
		for (<STDIN>) {
			chomp; my ($number, $hex) = split /\|/;
			$db->put(pack($pack, 1000 + $number), "x" x 20000);
			$db->put(pack($pack, $number), pack("H*", $hex));
			$db->del(pack($pack, 1000 + $number)) if $number % 2;
			$highest = $number;
		}
		$db->del(pack($pack, 1000 + $_)) for 1 .. $highest;
		$db->put(pack($pack, 0), pack($pack, $highest));
	' "$dir/db/Packages" "$lorder" "$size" < headers
done

# What rpm itself says about each of them.
for d in sqlite:sqlite ndb:ndb bdb:bdb_ro bdb-bigendian:bdb_ro; do
	rpm() { command rpm --define "_db_backend ${d#*:}" --root "$work/${d%:*}" --dbpath /db "$@"; }
	rpm -qa -l --state --qf 'package %{NAME} %{EVR} %{ARCH}\n' |
		perl -0777 -ne 'print grep !/^package gpg-pubkey/, sort split /^(?=package )/m' > "${d%:*}.txt"
	cmp sqlite.txt "${d%:*}.txt"
done
cp sqlite.txt "$out/packages.txt"
for f in sqlite/db/rpmdb.sqlite ndb/db/Packages.db bdb/db/Packages bdb-bigendian/db/Packages; do
	gzip -9nc "$f" > "$out/${f%%/*}.gz"
done
