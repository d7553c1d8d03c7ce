// One connection to a state file, with its prepared statements. Not thread-safe. Inside src/state failures of SQLite
// travel as SQLite::Exception; guarded() turns them into Errors where they would leave the folder.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace cc::state {

// Bytes that are bound as a BLOB; text is bound as a std::string.
struct Blob {
  std::string_view bytes;
};

inline std::int64_t milliseconds(Wall time) {
  return time.time_since_epoch().count();
}
inline Wall wall(std::int64_t milliseconds) {
  return Wall(std::chrono::milliseconds(milliseconds));
}

// The rows of a cached statement. Makes the statement free for its next use when it dies.
class Rows {
 public:
  explicit Rows(SQLite::Statement& statement) : statement_(&statement) {}
  Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Rows& operator=(Rows&&) = delete;
  ~Rows() {
    if (statement_ != nullptr) statement_->tryReset();
  }

  bool next() { return statement_->executeStep(); }

  std::int64_t integer(int column) const { return statement_->getColumn(column).getInt64(); }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  bool flag(int column) const { return integer(column) != 0; }
  Wall time(int column) const { return wall(integer(column)); }
  bool null(int column) const { return statement_->getColumn(column).isNull(); }
  std::string_view view(int column) const {  // valid until next(); text or bytes
    const SQLite::Column value = statement_->getColumn(column);
    const auto* bytes = static_cast<const char*>(value.getBlob());
    return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(value.getBytes()));
  }
  std::string text(int column) const { return std::string(view(column)); }
  int columns() const { return statement_->getColumnCount(); }

 private:
  SQLite::Statement* statement_;
};

class Database {
 public:
  enum class Access { write, read };  // write creates the file when there is none
  Database(const Path& file, Access access);

  // A question. `sql` is a literal: its address names the prepared statement. One use at a time per literal.
  template <std::size_t N, class... Values>
  [[nodiscard]] Rows ask(const char (&sql)[N], const Values&... values) {
    SQLite::Statement& statement = prepared(sql);
    Rows rows(statement);
    int at = 0;
    (bind_copy(statement, ++at, values), ...);
    return rows;
  }
  // The number that a question is answered with; 0 when there is none.
  template <std::size_t N>
  [[nodiscard]] std::uint64_t number(const char (&sql)[N]) {
    Rows rows = ask(sql);
    return rows.next() ? rows.number(0) : 0;
  }
  // A change; returns how many rows it changed.
  template <std::size_t N, class... Values>
  int run(const char (&sql)[N], const Values&... values) {
    SQLite::Statement& statement = prepared(sql);
    const Rows reset_after(statement);
    int at = 0;
    (bind_in_place(statement, ++at, values), ...);
    return statement.exec();
  }
  // Any number of statements, without values.
  void execute(const std::string& sql) { database_.exec(sql); }

  bool in_transaction() const;
  sqlite3* handle() const { return database_.getHandle(); }

 private:
  SQLite::Statement& prepared(const char* sql);

  template <std::integral Number>
  static void bind_copy(SQLite::Statement& statement, int at, Number value) {
    statement.bind(at, static_cast<std::int64_t>(value));
  }
  static void bind_copy(SQLite::Statement& statement, int at, const std::string& value) { statement.bind(at, value); }
  template <std::integral Number>
  static void bind_in_place(SQLite::Statement& statement, int at, Number value) {
    statement.bind(at, static_cast<std::int64_t>(value));
  }
  static void bind_in_place(SQLite::Statement& statement, int at, const std::string& value) {
    statement.bindNoCopy(at, value);
  }
  static void bind_in_place(SQLite::Statement& statement, int at, const Blob& value) {
    statement.bindNoCopy(at, value.bytes.empty() ? "" : value.bytes.data(), static_cast<int>(value.bytes.size()));
  }
  template <class Number>
  static void bind_in_place(SQLite::Statement& statement, int at, const std::optional<Number>& value) {
    if (value) {
      bind_in_place(statement, at, *value);
    } else {
      statement.bind(at);
    }
  }

  SQLite::Database database_;
  std::unordered_map<const char*, SQLite::Statement> prepared_;
};

// What SQLite said about `file`, as one of our codes, with what to do.
Error error_of(const SQLite::Exception& exception, const Path& file);

// Runs `body`, which returns a Result, where failures of SQLite must become Errors.
template <class Body>
auto guarded(const Path& file, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& exception) {
    return fail(error_of(exception, file));
  } catch (const std::bad_alloc&) {
    return fail(Code::exhausted, "not enough memory to work on " + file.string());
  }
}

}  // namespace cc::state
