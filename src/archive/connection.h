// One connection to PostgreSQL. Inside src/archive its failures travel as exceptions of libpqxx; guarded() turns them
// into Errors where they would leave the folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <pqxx/pqxx>

#include "archive/watchdog.h"
#include "base/clock.h"
#include "base/result.h"

namespace cc::archive {

// A server, as settings name it.
struct Server {
  std::string host;
  std::uint16_t port = 5432;

  std::string to_string() const;
};
// "db1,db2:5433,[::1]:5432"; what has no port has `port`. invalid_argument for an empty or a broken one.
Result<std::vector<Server>> parse_servers(std::string_view hosts, std::uint16_t port);

struct Access {
  std::string username, password, database;
  std::string sslmode = "prefer";  // as libpq's
  std::string root_certificate;    // a file, or empty
};

// How libpq, and each program of PostgreSQL's, is told of a server and who comes: without the password.
std::string words_for_libpq(const Server& server, const Access& access);

// Until when what is asked of a connection may take. Then, or when it is called off, the connection is lost.
struct Limit {
  Mono until;
  std::stop_token called_off;
};

using Values = std::vector<std::string>;

class Connection {
 public:
  // Throws; in two seconds at the latest.
  Connection(const Server& server, const Access& access);

  // One statement, in the transaction that is open or in one of its own. `values` stand for $1, $2, …
  pqxx::result run(const std::string& sql, const Values& values = {});
  void begin(const std::string& how = "");  // "REPEATABLE READ READ ONLY"
  void commit();

  // Of one that nothing was asked of: its server has ended it, or said why it will.
  bool ended() const;

  int socket() const { return connection_.sock(); }
  Mono opened() const { return opened_; }

 private:
  pqxx::connection connection_;
  std::unique_ptr<pqxx::nontransaction> session_;
  Mono opened_ = std::chrono::steady_clock::now();
};

// An array as text, as a value is passed of many rows.
class Array {
 public:
  void add(std::string_view text);
  void add(std::uint64_t number);
  void add_bytes(std::string_view bytes);  // of a bytea[]
  void add_null();
  std::string take() { return std::move(text_.append(1, '}')); }

 private:
  void separate();
  std::string text_ = "{";
};

// PostgreSQL takes no NUL and nothing that is not UTF-8: text that has them is made printable.
std::string storable(std::string_view text);

struct NoConnection : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What PostgreSQL or the network said, as one of our codes, with what to do.
Error error_of(const std::exception& exception, const std::string& where);

// Runs `body`, which returns a Result, where failures of libpqxx must become Errors. `where`: of which server.
template <class Body>
auto guarded(const std::string& where, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::exception& exception) {
    return fail(error_of(exception, where));
  }
}

}  // namespace cc::archive
