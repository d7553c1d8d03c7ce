// What a playground runs, as plain values: one process each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/file.h"

namespace cc::playground {

using Port = std::uint16_t;

// How one sees that a component is ready. All ports are those of 127.0.0.1.
struct Listens {
  Port port = 0;  // who connects is let in
};
struct Answers {
  Port port = 0;
  std::string path;  // GET of it is answered 200
};
struct SaysReady {
  Path file;  // PostgreSQL's postmaster.pid: the process on its first line, "ready" on its eighth
};
using Readiness = std::variant<Listens, Answers, SaysReady>;

// A user that a process runs as instead of whoever started the playground.
struct User {
  unsigned id = 0, group = 0;
};

struct Component {
  std::string name;                                // "node1"; also of its folder and its log
  std::vector<std::string> arguments;              // the program by its path; it stays in the foreground
  std::map<std::string, std::string> environment;  // besides what the playground has itself
  Path folder;                                     // which it works in
  std::vector<std::string> needs = {};             // names of others, ready before its first start
  Port port = 0;                                   // the one to tell people
  Readiness readiness;
  std::optional<User> user = {};
  int stop_signal = 15;  // what asks it to end: SIGTERM
};
using Components = std::vector<Component>;

}  // namespace cc::playground
