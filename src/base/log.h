// Logging: a fixed sentence plus fields, as text on a terminal and JSON lines otherwise (spdlog inside).
//
//   inline const Logger log{"consensus"};      one per folder
//   log.info("became leader", {{"term", term}, {"index", index}});
//
// error: a person must act. warn: degraded, heals by itself. info: state changes, never per request.
// debug: one line per request. Secrets, tokens and contents of configs are never logged.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace cc {

enum class LogLevel { trace, debug, info, warn, error, off };
enum class LogStyle { automatic, text, json };

Result<LogLevel> parse_log_level(std::string_view text);
void set_log_level(LogLevel level);  // thread-safe; also at run time (SIGHUP)
LogLevel log_level() noexcept;
void set_log_style(LogStyle style);  // once, at start
bool log_is_json();

struct LogField {
  LogField(std::string_view name_, std::string_view value_) : name(name_), value(std::string(value_)) {}
  LogField(std::string_view name_, const char* value_) : name(name_), value(std::string(value_)) {}
  LogField(std::string_view name_, const std::string& value_) : name(name_), value(value_) {}
  LogField(std::string_view name_, bool value_) : name(name_), value(value_) {}
  LogField(std::string_view name_, double value_) : name(name_), value(value_) {}
  template <std::integral T>
  LogField(std::string_view name_, T value_) : name(name_), value(static_cast<std::int64_t>(value_)) {}
  LogField(std::string_view name_, const Error& error) : name(name_), value(error.message) {}

  std::string_view name;
  std::variant<std::string, bool, double, std::int64_t> value;
};

class Logger {
 public:
  constexpr explicit Logger(std::string_view module) : module_(module) {}
  using Fields = std::initializer_list<LogField>;
  void debug(std::string_view sentence, Fields fields = {}) const { write(LogLevel::debug, sentence, fields); }
  void info(std::string_view sentence, Fields fields = {}) const { write(LogLevel::info, sentence, fields); }
  void warn(std::string_view sentence, Fields fields = {}) const { write(LogLevel::warn, sentence, fields); }
  void error(std::string_view sentence, Fields fields = {}) const { write(LogLevel::error, sentence, fields); }
  bool enabled(LogLevel level) const noexcept { return level >= log_level(); }

 private:
  void write(LogLevel level, std::string_view sentence, Fields fields) const;
  std::string_view module_;
};

}  // namespace cc
