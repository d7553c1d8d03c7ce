// What else than its files must be known of a node by who installs it.
#pragma once

#include <string>
#include <string_view>

#include "deploy/topology.h"

namespace cc::deploy {

inline constexpr std::string_view kAppUnit = "config-center.service";
inline constexpr std::string_view kAppUser = "config-center";
inline constexpr std::string_view kAppSettings = "/etc/config-center/config.yaml";
inline constexpr std::string_view kAppFolder = "/opt/config-center";
inline constexpr std::string_view kCurrentRelease = "/opt/config-center/current";  // a link to one of releases/
inline constexpr std::string_view kBinary = "/opt/config-center/current/bin/config-center";

// All nodes there are, also those that joined later: "1@10.0.0.21:7848,2@10.0.0.22:7848", as raft.peers has them.
std::string members_of(const Topology& topology);

// A script of root's that succeeds where the node is the leader: it comes last, so that leadership moves once.
std::string leads(const App& app);

// What a host needs for the history of the archive in backups (pg_dump, pg_restore), and whether its node makes such.
inline constexpr std::string_view kDumpPackage = "postgresql-client";
bool backs_up_archive(const App& app, std::string_view host);

// A line of scripts, after which "as_node BINARY ARGUMENTS" runs a command as the node, with its settings, wherever
// root stands.
std::string as_node();

}  // namespace cc::deploy
