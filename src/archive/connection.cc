#include "archive/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <new>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/host_port.h"
#include "base/text.h"

namespace cc::archive {
namespace {

// As libpq reads it: in quotes, with backslashes before quotes and backslashes.
std::string quoted(std::string_view value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

// A leader that hangs in the middle of a batch, or whose machine is gone, must not hold the position for ever.
constexpr std::string_view kEndsOfSessions =
    "-c idle_in_transaction_session_timeout=5s -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 "
    "-c tcp_keepalives_count=3 -c tcp_user_timeout=5s";

std::string words_for_session(const Server& server, const Access& access) {
  std::string words =
      words_for_libpq(server, access) +
      fmt::format(" client_encoding=UTF8 options='-c search_path=config_center -c TimeZone=UTC {}'", kEndsOfSessions);
  if (!access.password.empty()) words += " password=" + quoted(access.password);
  return words;
}

// What libpq says has line breaks in it, and says twice what is the matter with several addresses.
std::string one_line(std::string_view text) {
  std::string line;
  for (const std::string_view part : split(text, '\n')) {
    if (trim(part).empty()) continue;
    if (!line.empty()) line += "; ";
    line += trim(part);
  }
  return line;
}

}  // namespace

std::string Server::to_string() const {
  return host_and_port(host, port);
}

Result<std::vector<Server>> parse_servers(std::string_view hosts, std::uint16_t port) {
  std::vector<Server> servers;
  for (const std::string_view part : split(hosts, ',')) {
    const std::string_view text = trim(part);
    if (text.empty()) return fail(Code::invalid_argument, "a host between two commas is empty");
    Server server{.host = std::string(text), .port = port};
    const bool bare_ipv6 = std::ranges::count(text, ':') > 1 && !text.starts_with('[');
    if (text.contains(':') && !bare_ipv6) {
      TRY(const HostAndPort given, parse_host_and_port(text));
      server = {.host = given.host, .port = given.port};
    }
    servers.push_back(std::move(server));
  }
  return servers;
}

std::string words_for_libpq(const Server& server, const Access& access) {
  std::string words = fmt::format(
      "host={} port={} user={} dbname={} sslmode={} application_name=config-center connect_timeout=2 "
      "tcp_user_timeout=5000 keepalives_idle=5 keepalives_interval=2 keepalives_count=3",
      quoted(server.host), server.port, quoted(access.username), quoted(access.database), quoted(access.sslmode));
  if (!access.root_certificate.empty()) words += " sslrootcert=" + quoted(access.root_certificate);
  return words;
}

Connection::Connection(const Server& server, const Access& access) : connection_(words_for_session(server, access)) {
#if PQXX_VERSION_MAJOR < 7
  // Else it connects again by itself, and a transaction would go on over another connection, as another one. Deprecated
  // since version 7 does so no more.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  connection_.inhibit_reactivation(true);
#pragma clang diagnostic pop
#endif
  session_ = std::make_unique<pqxx::nontransaction>(connection_);
}

pqxx::result Connection::run(const std::string& sql, const Values& values) {
  if (values.empty()) return session_->exec(sql);
#if PQXX_VERSION_MAJOR < 7
  return session_->exec_params(sql, pqxx::prepare::make_dynamic_params(values));
#else
  pqxx::params all;
  all.append_multi(values);
  return session_->exec_params(sql, all);
#endif
}

void Connection::begin(const std::string& how) {
  run(how.empty() ? "BEGIN" : "BEGIN ISOLATION LEVEL " + how);
}

void Connection::commit() {
  run("COMMIT");
}

// A server says nothing unasked but its end, and changes of its settings: a new connection does no harm then either.
bool Connection::ended() const {
  ::pollfd one{.fd = socket(), .events = POLLIN | POLLRDHUP, .revents = 0};
  return ::poll(&one, 1, 0) != 0;
}

void Array::separate() {
  if (text_.size() > 1) text_ += ',';
}

void Array::add(std::string_view text) {
  separate();
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void Array::add(std::uint64_t number) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", number);
}

void Array::add_bytes(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  separate();
  text_ += R"("\\x)";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text_ += kDigits[byte >> 4];
    text_ += kDigits[byte & 15];
  }
  text_ += '"';
}

void Array::add_null() {
  separate();
  text_ += "NULL";
}

std::string storable(std::string_view text) {
  if (!text.contains('\0') && find_invalid_utf8(text) == std::string_view::npos) return std::string(text);
  return printable(text);
}

Error error_of(const std::exception& exception, const std::string& where) {
  const auto said = [&](Code code, std::string_view advice = {}) -> Error {
    return {code, fmt::format("PostgreSQL at {}: {}{}", where, one_line(exception.what()), advice)};
  };
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr)
    return {Code::exhausted, "not enough memory to talk to PostgreSQL at " + where};
  if (dynamic_cast<const NoConnection*>(&exception) != nullptr) return {Code::exhausted, exception.what()};
  if (dynamic_cast<const pqxx::broken_connection*>(&exception) != nullptr) {
    const std::string_view what = exception.what();
    if (what.contains("password authentication failed") || what.contains("no password supplied"))
      return said(Code::permission_denied, ": look at database.username, database.password and pg_hba.conf");
    if (what.contains("database") && what.contains("does not exist"))
      return said(Code::unavailable, ": make it (CREATE DATABASE), or look at database.database");
    return said(Code::unavailable);
  }
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&exception)) {
    const std::string& state = sql->sqlstate();
    if (state == "53100") return said(Code::unavailable, ": make room on the disk of the database");
    if (state == "25006") return said(Code::unavailable, ": it is no primary (any more)");
    if (state == "42501")
      return said(Code::permission_denied,
                  ": the user of database.username must own the database, or have CREATE on it");
    if (state == "57014") return said(Code::timeout);
    constexpr std::array<std::string_view, 4> kPassing{"08", "40", "53", "57"};  // classes: connection, rollback, …
    if (std::ranges::any_of(kPassing, [&](std::string_view each) { return state.starts_with(each); }))
      return said(Code::unavailable);
  }
  return said(Code::internal);
}

}  // namespace cc::archive
