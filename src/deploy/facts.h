// What a host is and has, as it says itself: asked by one script, read from its lines.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "deploy/connection.h"
#include "deploy/topology.h"

namespace cc::deploy {

// What could not be found out is absent.
struct Facts {
  std::optional<std::uint64_t> cores, threads;
  std::optional<double> frequency;           // GHz
  std::optional<double> memory, swap, disk;  // GB; of the disk what is free below the data folder
  std::optional<double> iops;                // synchronous writes of 4 KiB
  std::optional<double> bandwidth;           // MB/s, written past the cache
  std::string os, version, architecture, kernel, libc, libstdcxx;
  std::optional<std::uint64_t> open_files;               // that a process may have at most
  std::map<std::string, std::uint64_t> kernel_settings;  // "net.core.somaxconn"
  std::set<std::string> read_only;                       // folders that must be written to, and cannot
  std::set<std::string> unresolved;                      // addresses of other hosts that are names, and unknown there
  bool systemd = false;
  bool root = false;                                      // commands that need it can be run without a question
  bool installed = false;                                 // something of ours is there already
  std::set<Port> taken;                                   // ports that somebody listens on
  std::map<std::string, std::string> packages;            // by name: what is installed
  std::map<std::string, std::string> installable;         // what could be, of those that are not
  std::map<std::string, double> latency;                  // ms, by address of another host
  std::optional<std::chrono::milliseconds> clock_offset;  // ahead of this machine's clock
};

// The script that asks; it changes nothing but a file of its own in the data folder's disk, which it removes.
std::string facts_script(const Topology& topology, const Host& host);
// invalid_argument when the lines are not the script's.
Result<Facts> read_facts(std::string_view lines);

// Runs it. Blocks for some seconds.
Result<Facts> ask_facts(Connection& connection, const Topology& topology, const Host& host, const Clock& clock,
                        const Deadline& until);

}  // namespace cc::deploy
