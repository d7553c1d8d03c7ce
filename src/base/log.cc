#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <memory>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/text.h"

namespace cc {
namespace {

std::atomic<LogLevel> g_level{LogLevel::info};
std::atomic<LogStyle> g_style{LogStyle::automatic};

constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info", "warn", "error", "off"};

// spdlog writes whole lines to stderr under its own lock; layout is ours.
spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("config-center", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

std::string json_line(std::string_view time, LogLevel level, std::string_view module, std::string_view sentence,
                      Logger::Fields fields) {
  boost::json::object line{
      {"time", time}, {"level", kNames.at(static_cast<std::size_t>(level))}, {"module", module}, {"message", sentence}};
  for (const LogField& field : fields) {
    std::visit(
        [&](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
            line[field.name] = find_invalid_utf8(value) == std::string::npos ? value : printable(value);
          } else {
            line[field.name] = value;
          }
        },
        field.value);
  }
  return boost::json::serialize(line);
}

std::string text_line(std::string_view time, LogLevel level, std::string_view module, std::string_view sentence,
                      Logger::Fields fields) {
  std::string line = fmt::format("{} {:5} {}: {}", time, kNames.at(static_cast<std::size_t>(level)), module, sentence);
  for (const LogField& field : fields) {
    const std::string value = std::visit(
        [](const auto& v) -> std::string {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string>) {
            const bool plain = !v.empty() && v.find_first_of(" \"=") == std::string::npos;
            return plain ? printable(v) : '"' + printable(v, std::string::npos, "\"\\") + '"';
          } else {
            return fmt::format("{}", v);
          }
        },
        field.value);
    line += fmt::format(" {}={}", field.name, value);
  }
  return line;
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == text) return static_cast<LogLevel>(i);
  }
  return fail(Code::invalid_argument,
              fmt::format("\"{}\" is not a log level; there are: trace, debug, info, warn, error, off", text));
}

void set_log_level(LogLevel level) {
  g_level = level;
}
LogLevel log_level() noexcept {
  return g_level.load(std::memory_order_relaxed);
}
void set_log_style(LogStyle style) {
  g_style = style;
}
bool log_is_json() {
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const LogStyle style = g_style.load(std::memory_order_relaxed);
  return style == LogStyle::json || (style == LogStyle::automatic && !terminal);
}

void Logger::write(LogLevel level, std::string_view sentence, Fields fields) const {
  if (!enabled(level)) return;
  const std::string time = format_time(SystemClock{}.wall());
  const std::string line = log_is_json() ? json_line(time, level, module_, sentence, fields)
                                         : text_line(time, level, module_, sentence, fields);
  sink().log(spdlog::level::info, spdlog::string_view_t(line));
}

}  // namespace cc
