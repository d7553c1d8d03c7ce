#include <sys/socket.h>

#include <algorithm>

#include <fmt/format.h>
#include <netdb.h>

#include "base/clock.h"
#include "http/server.h"
#include "node/alerting.h"
#include "node/backups.h"
#include "node/peers.h"
#include "node/settings.h"

namespace cc::node {
namespace {

Result<> check_host(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return fail(Code::invalid_argument,
                fmt::format("server.host: \"{}\" is no address: {}", host, ::gai_strerror(error)));
  }
  ::freeaddrinfo(found);
  return {};
}

Result<> check_tls(std::string_view section, const std::string& certificate, const std::string& key,
                   const std::string& ca) {
  if (certificate.empty()) return {};
  auto loaded = http::TlsContext::load(certificate, key, ca);
  if (!loaded) return fail(std::move(loaded).error().with_context(section));
  return {};
}

// Two addresses for one node are a mistake in one of them.
Result<> check_own_address(const Settings& settings) {
  const auto& raft = settings.raft;
  if (raft.join && settings.origin.at("raft.address") == "default") {
    return fail(
        Code::invalid_argument,
        fmt::format("raft.join needs raft.address: host:port under which the other nodes reach this one, as it is "
                    "given to config-center cluster add; {} is of use on one machine only",
                    raft.address));
  }
  TRY(const auto peers, parse_peers(raft.peers, raft.node_id));
  for (const consensus::Peer& peer : peers) {
    if (peer.id == raft.node_id && peer.address != raft.address) {
      return fail(Code::invalid_argument,
                  fmt::format("raft.address is {} ({}), and raft.peers ({}) has {} for this node, {}: correct one of "
                              "them, or leave raft.address out",
                              raft.address, settings.origin.at("raft.address"), settings.origin.at("raft.peers"),
                              peer.address, peer.id));
    }
  }
  return {};
}

}  // namespace

Result<> check_settings(const Settings& settings) {
  TRYV(check_secrets(settings));
  TRYV(check_own_address(settings));
  TRYV(check_host(settings.server.host));
  const auto& server = settings.server;
  const auto& raft = settings.raft;
  TRYV(check_tls("server.tls", server.tls_certificate_file, server.tls_key_file, server.tls_client_ca_file));
  TRYV(check_tls("raft.tls", raft.tls_certificate_file, raft.tls_key_file, raft.tls_ca_file));
  if (settings.backup.enabled) {
    const SystemClock clock;
    if (auto opened = open_storage(settings, clock); !opened)
      return fail(std::move(opened).error().with_context("backup.storage"));
  }
  TRYV(alert_rules_of(settings));
  return {};
}

}  // namespace cc::node
