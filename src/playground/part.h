// The components of a playground and the files they read: pure functions of where it is and what it has, one file of
// code for each kind. Nothing here touches the disk or starts anything.
#pragma once

#include <string>
#include <vector>

#include "deploy/secrets.h"
#include "playground/component.h"
#include "playground/layout.h"
#include "playground/programs.h"

namespace cc::playground {

// What all parts follow from.
struct Site {
  Path folder;  // absolute
  Layout layout;
  deploy::Secrets secrets;
  Programs programs;
  std::string binary;  // config-center's own
  // Who runs PostgreSQL, which refuses to run as root; none: whoever runs the playground.
  std::optional<User> database_user = {};

  Port port(const std::string& name) const { return layout.ports.at(name); }
  std::string address(const std::string& name) const;                                  // "127.0.0.1:15432"
  std::string addresses(std::string_view name, unsigned count, char separator) const;  // of name1, name2, …
};

struct File {
  Path path;
  std::string content;
  bool once = false;  // the program writes it itself from then on
  std::optional<User> owner = {};
};

struct Part {
  Components components;
  std::vector<File> files;
};

inline constexpr std::string_view kDatabase = "config_center", kDatabaseRole = "config_center";
inline constexpr std::string_view kPrimaryName = "config-center";  // that the Sentinels know Redis's primary by

Part load_balancers(const Site& site);  // HAProxy
Part nodes(const Site& site);
Part databases(const Site& site);   // PostgreSQL
Part caches(const Site& site);      // Redis, Sentinels
Part monitoring(const Site& site);  // Prometheus, Alertmanager; exporters and Grafana where they are installed

// All that its layout says.
Part all_of(const Site& site);

}  // namespace cc::playground
