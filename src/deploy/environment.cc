#include "deploy/environment.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deploy/app.h"
#include "deploy/cache.h"
#include "deploy/ports.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

using std::chrono::milliseconds;

// Nodes agree by messages, not by clocks; but people read times of several hosts beside each other, and tokens expire.
constexpr milliseconds kClockWarns{500}, kClockFails{30'000};

// Two files for each connection of the load balancer.
constexpr std::uint64_t kOpenFiles = 104'000;

struct KernelSetting {
  std::string_view name;
  std::uint64_t least;
  std::string_view why;
};

std::vector<KernelSetting> kernel_settings_of(const Topology& topology, const Host& host) {
  std::vector<KernelSetting> settings{
      {"net.core.somaxconn", 4096, "so many clients may connect at the same moment, as after a failover"},
      {"fs.file-max", 500'000, "each client that waits holds a file"}};
  if (topology.cache && is_among(host.name, hosts_of(*topology.cache)))
    settings.push_back({"vm.overcommit_memory", 1, "else Redis may fail to save while its memory is half full"});
  return settings;
}

class HostCheck {
 public:
  HostCheck(const Topology& topology, const Host& host, const Facts& facts)
      : topology_(topology), host_(host), facts_(facts) {}

  std::vector<Finding> run() {
    hardware();
    software();
    dependencies();
    rights();
    limits();
    ports();
    clock();
    network();
    return std::move(findings_);
  }

 private:
  void tell(std::string check, Verdict verdict, std::string message) {
    findings_.push_back(
        {.host = host_.name, .check = std::move(check), .verdict = verdict, .message = std::move(message)});
  }

  // What must be so much at least; 0: nothing is required of it, and nothing is told.
  template <class Number>
  void at_least(std::string_view check, const std::optional<Number>& found, double required, std::string_view unit) {
    if (required == 0) return;
    if (!found) return tell(std::string(check), Verdict::not_tested, "the host does not say");
    const double there = static_cast<double>(*found);
    tell(std::string(check), there >= required ? Verdict::pass : Verdict::fail,
         fmt::format("{:.4g}{}{}, required {:.4g}", there, unit.empty() ? "" : " ", unit, required));
  }

  void hardware() {
    const auto& [cpu, memory, disk, unused] = topology_.requirements.hardware;
    at_least("cpu cores", facts_.cores, static_cast<double>(cpu.cores), "");
    at_least("cpu threads", facts_.threads, static_cast<double>(cpu.threads), "");
    at_least("cpu frequency", facts_.frequency, cpu.frequency, "GHz");
    at_least("memory", facts_.memory, memory.total, "GB");
    at_least("swap", facts_.swap, memory.swap, "GB");
    at_least("disk free", facts_.disk, disk.total, "GB");
    at_least("disk iops", facts_.iops, static_cast<double>(disk.iops), "");
    at_least("disk bandwidth", facts_.bandwidth, disk.bandwidth, "MB/s");
  }

  void version(std::string check, const VersionRange& required, const std::string& found) {
    if (required.any()) return;
    if (found.empty()) return tell(std::move(check), Verdict::not_tested, "the host does not say");
    tell(std::move(check), required.contains(found) ? Verdict::pass : Verdict::fail,
         fmt::format("{}, required {}", found, required.to_string()));
  }

  void software() {
    const auto& [os, runtime, unused] = topology_.requirements.software;
    if (!os.name.empty()) {
      tell("os", os.name == facts_.os ? Verdict::pass : Verdict::fail,
           fmt::format("{}, required {}", facts_.os.empty() ? "unknown" : facts_.os, os.name));
    }
    version("os version", os.version, facts_.version);
    if (!os.architecture.empty()) {
      tell("architecture", os.architecture == facts_.architecture ? Verdict::pass : Verdict::fail,
           fmt::format("{}, required {}", facts_.architecture, os.architecture));
    }
    version("kernel", runtime.kernel, facts_.kernel);
    version("libc", runtime.libc, facts_.libc);
    version("libstdc++", runtime.libstdcxx, facts_.libstdcxx);
    tell("systemd", facts_.systemd ? Verdict::pass : Verdict::fail,
         facts_.systemd ? "runs" : "does not run: services are started by it");
  }

  void package(const std::string& name, const VersionRange& version) {
    const auto installed = facts_.packages.find(name);
    const auto offered = facts_.installable.find(name);
    const std::string required = version.any() ? "" : fmt::format(", required {}", version.to_string());
    if (installed != facts_.packages.end()) {
      tell(name, version.contains(installed->second) ? Verdict::pass : Verdict::fail,
           fmt::format("{} is installed{}", installed->second, required));
    } else if (offered != facts_.installable.end()) {
      tell(name, version.contains(offered->second) ? Verdict::pass : Verdict::fail,
           fmt::format("{} can be installed{}", offered->second, required));
    } else {
      tell(name, Verdict::fail, "is neither installed nor offered by the host's package sources" + required);
    }
  }

  void dependencies() {
    const auto& required = topology_.requirements.software.dependencies;
    for (const auto& dependency : required)
      package(dependency.name, dependency.version);
    const bool named = std::ranges::find(required, kDumpPackage, &Requirements::Dependency::name) != required.end();
    if (!named && backs_up_archive(topology_.app, host_.name)) package(std::string(kDumpPackage), {});
  }

  void rights() {
    tell("root", facts_.root ? Verdict::pass : Verdict::fail,
         facts_.root ? "commands that need it can be run"
                     : "commands that need it would ask: give the user sudo without a password, or log in as root");
  }

  void limits() {
    if (!facts_.read_only.empty()) {
      tell("folders", Verdict::fail,
           fmt::format("{} cannot be written to: the disk is mounted read-only", fmt::join(facts_.read_only, ", ")));
    }
    if (!facts_.open_files) {
      tell("open files", Verdict::not_tested, "the host does not say");
    } else {
      tell("open files", *facts_.open_files >= kOpenFiles ? Verdict::pass : Verdict::warn,
           *facts_.open_files >= kOpenFiles
               ? fmt::format("{} at most", *facts_.open_files)
               : fmt::format("{} at most, and services ask for {}: fewer clients can wait at the same time",
                             *facts_.open_files, kOpenFiles));
    }
    for (const KernelSetting& each : kernel_settings_of(topology_, host_)) {
      const auto found = facts_.kernel_settings.find(std::string(each.name));
      if (found == facts_.kernel_settings.end()) {
        tell(std::string(each.name), Verdict::not_tested, "the host does not say");
      } else {
        tell(std::string(each.name), found->second >= each.least ? Verdict::pass : Verdict::warn,
             found->second >= each.least
                 ? fmt::to_string(found->second)
                 : fmt::format("{}, better {}: {}; --fix sets it", found->second, each.least, each.why));
      }
    }
  }

  void ports() {
    for (const auto& [port, whose, unused] : ports_of(topology_, host_.name)) {
      if (!facts_.taken.contains(port)) {
        tell(fmt::format("port {}", port), Verdict::pass, fmt::format("free, for {}", whose));
      } else if (facts_.installed) {
        tell(fmt::format("port {}", port), Verdict::warn,
             fmt::format("is taken, as it should be when that is {} of this installation", whose));
      } else {
        tell(fmt::format("port {}", port), Verdict::fail,
             fmt::format("is taken, and {} needs it: look with ss -ltnp, or choose another one", whose));
      }
    }
  }

  void clock() {
    if (!facts_.clock_offset) return tell("clock", Verdict::not_tested, "the host does not say");
    const milliseconds off = std::chrono::abs(*facts_.clock_offset);
    tell("clock",
         off >= kClockFails   ? Verdict::fail
         : off >= kClockWarns ? Verdict::warn
                              : Verdict::pass,
         fmt::format("{} ms {} this machine's{}", off.count(), facts_.clock_offset->count() < 0 ? "behind" : "ahead of",
                     off >= kClockWarns ? ": keep it in step with chrony or systemd-timesyncd" : ""));
  }

  void network() {
    const double most = topology_.requirements.hardware.network.latency;
    for (const Host& other : topology_.hosts) {
      if (other.name == host_.name) continue;
      if (facts_.unresolved.contains(other.address)) {
        tell(fmt::format("name of {}", other.name), Verdict::fail,
             fmt::format("{} resolves to nothing here: add it to the names' server or to /etc/hosts", other.address));
        continue;
      }
      const std::string check = fmt::format("network to {}", other.name);
      const auto found = facts_.latency.find(other.address);
      if (found == facts_.latency.end()) {
        tell(check, Verdict::not_tested, "no answer to ping, which may not be installed or allowed there");
      } else {
        tell(
            check, most == 0 || found->second <= most ? Verdict::pass : Verdict::fail,
            fmt::format("{:.3g} ms{}", found->second, most == 0 ? "" : fmt::format(", required at most {:.4g}", most)));
      }
    }
  }

  const Topology& topology_;
  const Host& host_;
  const Facts& facts_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::warn:
      return "warn";
    case Verdict::fail:
      return "fail";
    case Verdict::not_tested:
      return "not tested";
  }
  return "";
}

std::string repair_script(const Topology& topology, const Host& host, const Facts& facts) {
  std::string settings, script;
  for (const KernelSetting& each : kernel_settings_of(topology, host)) {
    const auto found = facts.kernel_settings.find(std::string(each.name));
    if (found != facts.kernel_settings.end() && found->second < each.least)
      settings += fmt::format("# {}\n{} = {}\n", each.why, each.name, each.least);
  }
  if (!settings.empty()) {
    constexpr std::string_view kFile = "/etc/sysctl.d/60-config-center.conf";
    script += fmt::format("cat >{0}{1}sysctl -q -p {0} || true\n", kFile,
                          here_document("# Written by config-center check --fix.\n" + settings));
  }
  if (facts.clock_offset && std::chrono::abs(*facts.clock_offset) >= kClockWarns)
    script += "systemctl is-active --quiet chrony ntp || systemctl enable --now --quiet systemd-timesyncd\n";
  return script;
}

std::vector<Finding> check_host(const Topology& topology, const Host& host, const Facts& facts) {
  return HostCheck(topology, host, facts).run();
}

}  // namespace cc::deploy
