#include "deploy/facts.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/app.h"

namespace cc::deploy {
namespace {

using std::chrono::milliseconds;

// Each answer is a line "name=value"; what cannot be found out has no line.
constexpr std::string_view kAsk = R"sh(
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)
[ "$cores" -gt 0 ] && echo "cores=$cores"
echo "threads=$(getconf _NPROCESSORS_ONLN)"
mhz=$(lscpu 2>/dev/null | sed -n 's/^CPU max MHz: *//p')
[ -n "$mhz" ] || mhz=$(sed -n 's/^cpu MHz[^0-9]*//p' /proc/cpuinfo | sort -n | tail -1)
[ -n "$mhz" ] && echo "mhz=$mhz"
sed -n 's/^MemTotal: *\([0-9]*\) kB/memory_kb=\1/p; s/^SwapTotal: *\([0-9]*\) kB/swap_kb=\1/p' /proc/meminfo
(. /etc/os-release && echo "os=$ID" && echo "version=$VERSION_ID")
echo "architecture=$(uname -m)"
echo "kernel=$(uname -r)"
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) && echo "libc=${libc#glibc }"
[ -d /run/systemd/system ] && echo "systemd=yes"
[ "$(id -u)" = 0 ] && echo "root=yes"
[ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null && echo "root=yes"
[ -d /var/lib/config-center-deployment ] && echo "installed=yes"
package() {
  found=$(dpkg-query -W -f='${db:Status-Abbrev} ${Version}' "$1" 2>/dev/null)
  case "$found" in ii*) echo "package=$1 ${found#* }"; return;; esac
  offered=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p')
  [ -n "$offered" ] && [ "$offered" != "(none)" ] && echo "installable=$1 $offered"
}
stdcxx=$(dpkg-query -W -f='${Version}' libstdc++6 2>/dev/null) && echo "libstdcxx=$stdcxx"
echo "open_files=$(sh -c 'ulimit -Hn')"
for each in net.core.somaxconn vm.overcommit_memory fs.file-max; do
  value=$(cat /proc/sys/$(echo $each | tr . /) 2>/dev/null) && echo "setting=$each $value"
done
for each in /etc /opt /var/lib; do
  case ",$(findmnt -no OPTIONS -T $each 2>/dev/null)," in *,ro,*) echo "read_only=$each" ;; esac
done
ss -Hltn 2>/dev/null | awk '{sub(/.*:/, "", $4); print "port=" $4}'
)sh";

constexpr std::string_view kMeasure = R"sh(
iops= bandwidth=
there="$data"; while [ ! -d "$there" ]; do there=$(dirname "$there"); done
df -Pk "$there" | awk 'NR==2 {print "disk_kb=" $4}'
[ -w "$there" ] || there=/var/tmp
file=$(mktemp -p "$there" .config-center-check.XXXXXX) && {
  trap 'rm -f "$file"' EXIT
  begun=$(date +%s%N)
  dd if=/dev/zero of="$file" bs=4k count=500 oflag=direct,dsync conv=notrunc 2>/dev/null &&
    iops=$(awk -v t="$(( $(date +%s%N) - begun ))" 'BEGIN {print 500 * 1e9 / t}')
  begun=$(date +%s%N)
  dd if=/dev/zero of="$file" bs=1M count=64 oflag=direct conv=notrunc,fdatasync 2>/dev/null &&
    bandwidth=$(awk -v t="$(( $(date +%s%N) - begun ))" 'BEGIN {print 67.108864 * 1e9 / t}')
  # Of the terse form (version 3): the 48th is KiB/s written, the 49th is writes in a second.
  measured() { fio --name=check --filename="$file" --size=64M --direct=1 --output-format=terse --terse-version=3 "$@" 2>/dev/null; }
  if command -v fio >/dev/null; then
    found=$(measured --rw=randwrite --bs=4k --sync=dsync --time_based --runtime=2 | cut -d';' -f49)
    [ -n "$found" ] && iops=$found
    found=$(measured --rw=write --bs=1M --end_fsync=1 | cut -d';' -f48)
    [ -n "$found" ] && bandwidth=$(awk -v k="$found" 'BEGIN {print k * 1.024 / 1000}')
  fi
  [ -n "$iops" ] && echo "iops=$iops"
  [ -n "$bandwidth" ] && echo "bandwidth=$bandwidth"
}
)sh";

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

constexpr double kGigabyte = 1e9, kKibibyte = 1024;

std::optional<double> gigabytes(std::string_view kibibytes) {
  const auto number = number_of(kibibytes);
  if (!number) return std::nullopt;
  return *number * kKibibyte / kGigabyte;
}

void put(std::map<std::string, std::string>& into, std::string_view name_and_version) {
  const auto blank = name_and_version.find(' ');
  into.emplace(name_and_version.substr(0, blank),
               trim(name_and_version.substr(std::min(blank, name_and_version.size()))));
}

void read_line(Facts& facts, std::string_view name, std::string_view value) {
  const auto whole = [&]() -> std::optional<std::uint64_t> {
    const auto number = parse_uint(value, name);
    return number ? std::optional(*number) : std::nullopt;
  };
  if (name == "cores") facts.cores = whole();
  if (name == "threads") facts.threads = whole();
  if (name == "mhz") {
    if (const auto mhz = number_of(value)) facts.frequency = *mhz / 1000;
  }
  if (name == "memory_kb") facts.memory = gigabytes(value);
  if (name == "swap_kb") facts.swap = gigabytes(value);
  if (name == "disk_kb") facts.disk = gigabytes(value);
  if (name == "iops") facts.iops = number_of(value);
  if (name == "bandwidth") facts.bandwidth = number_of(value);
  if (name == "os") facts.os = value;
  if (name == "version") facts.version = value;
  if (name == "architecture") facts.architecture = value;
  if (name == "kernel") facts.kernel = value;
  if (name == "libc") facts.libc = value;
  if (name == "libstdcxx") facts.libstdcxx = value;
  if (name == "open_files") facts.open_files = whole();
  if (name == "unresolved") facts.unresolved.emplace(value);
  if (name == "read_only") facts.read_only.emplace(value);
  if (name == "setting") {
    const auto blank = value.find(' ');
    const auto number = parse_uint(value.substr(std::min(blank + 1, value.size())), name);
    if (blank != std::string_view::npos && number) facts.kernel_settings.emplace(value.substr(0, blank), *number);
  }
  if (name == "systemd") facts.systemd = true;
  if (name == "root") facts.root = true;
  if (name == "installed") facts.installed = true;
  if (name == "port") {
    if (const auto port = whole(); port && *port <= 65535) facts.taken.insert(static_cast<Port>(*port));
  }
  if (name == "package") put(facts.packages, value);
  if (name == "installable") put(facts.installable, value);
  if (name == "latency") {
    const auto blank = value.find(' ');
    if (const auto ms = number_of(value.substr(std::min(blank + 1, value.size())));
        blank != std::string_view::npos && ms)
      facts.latency.emplace(value.substr(0, blank), *ms);
  }
}

}  // namespace

std::string facts_script(const Topology& topology, const Host& host) {
  std::string script(kAsk);
  for (const auto& dependency : topology.requirements.software.dependencies)
    script += fmt::format("package '{}'\n", dependency.name);
  if (backs_up_archive(topology.app, host.name)) script += fmt::format("package '{}'\n", kDumpPackage);
  script += fmt::format("data='{}'\n{}", topology.app.data_dir, kMeasure);
  // The average of five, each at most a second.
  for (const Host& other : topology.hosts) {
    if (other.name == host.name) continue;
    script += fmt::format("getent ahosts '{0}' >/dev/null || echo 'unresolved={0}'\n", other.address);
    script += fmt::format(
        "ping -c 5 -i 0.2 -W 1 -q '{0}' 2>/dev/null | sed -n 's|^rtt[^=]*= [0-9.]*/\\([0-9.]*\\)/.*|latency={0} "
        "\\1|p'\n",
        other.address);
  }
  return script + "echo done=yes\n";
}

Result<Facts> read_facts(std::string_view lines) {
  Facts facts;
  bool done = false;
  for (const std::string_view line : split(lines, '\n')) {
    const auto sign = line.find('=');
    if (sign == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, sign), value = trim(line.substr(sign + 1));
    done = done || name == "done";
    read_line(facts, name, value);
  }
  if (!done)
    return fail(Code::invalid_argument, "the host did not answer all that it was asked: is its shell a POSIX one?");
  return facts;
}

Result<Facts> ask_facts(Connection& connection, const Topology& topology, const Host& host, const Clock& clock,
                        const Deadline& until) {
  TRY(const Finished finished, connection.run(facts_script(topology, host), until));
  TRY(Facts facts, read_facts(finished.output));
  const Wall before = clock.wall();
  TRY(const Finished told, connection.run("date +%s%3N\n", until));
  const Wall after = clock.wall();
  if (const auto there = parse_uint(trim(told.output), "time")) {
    // When in between the host looked at its clock is not known: what may be due to that is no offset.
    const Wall at{milliseconds(static_cast<std::int64_t>(*there))};
    facts.clock_offset = std::chrono::duration_cast<milliseconds>(at - std::clamp(at, before, after));
  }
  return facts;
}

}  // namespace cc::deploy
