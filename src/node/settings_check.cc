#include <sys/socket.h>

#include <algorithm>

#include <fmt/format.h>
#include <netdb.h>

#include "base/file.h"
#include "http/server.h"
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

Result<> check_tls(const Settings& settings) {
  const auto& server = settings.server;
  if (server.tls_certificate_file.empty()) return {};
  auto loaded = http::TlsContext::load(server.tls_certificate_file, server.tls_key_file, server.tls_client_ca_file);
  if (!loaded) return fail(std::move(loaded).error().with_context("server.tls"));
  return {};
}

Result<> check_alert_rules(const std::string& file) {
  if (file.empty()) return {};
  if (auto content = read_file(file); !content) {
    return fail(Code::invalid_argument, "monitoring.alert_rules: " + content.error().message);
  }
  return {};
}

}  // namespace

Result<> check_settings(const Settings& settings) {
  TRYV(check_secrets(settings));
  TRYV(parse_peers(settings.raft.peers, settings.raft.node_id));
  TRYV(check_host(settings.server.host));
  TRYV(check_tls(settings));
  return check_alert_rules(settings.monitoring.alert_rules);
}

}  // namespace cc::node
