#include "backup/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include "base/text.h"

namespace cc::backup {
namespace {

struct Field {
  std::string_view name;
  unsigned least, most;
  std::vector<std::string_view> names;  // of the numbers from `least` on
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> all = {
      Field{"minute", 0, 59, {}}, Field{"hour", 0, 23, {}}, Field{"day of the month", 1, 31, {}},
      Field{"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      Field{"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}};
  return all;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kShort = {{{"@hourly", "0 * * * *"},
                                                                                  {"@daily", "0 0 * * *"},
                                                                                  {"@midnight", "0 0 * * *"},
                                                                                  {"@weekly", "0 0 * * 0"},
                                                                                  {"@monthly", "0 0 1 * *"},
                                                                                  {"@yearly", "0 0 1 1 *"},
                                                                                  {"@annually", "0 0 1 1 *"}}};

std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (const auto named = std::ranges::find(field.names, lower); named != field.names.end()) {
    return field.least + static_cast<unsigned>(named - field.names.begin());
  }
  const auto number = parse_uint(text, "");
  if (!number || *number < field.least || *number > field.most) return std::nullopt;
  return static_cast<unsigned>(*number);
}

// "*", "5", "mon", "1-5", each with "/step"; adds what it stands for. False when it is none of these.
bool add_part(const Field& field, std::string_view text, std::vector<unsigned>& values) {
  unsigned step = 1;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto given = parse_uint(text.substr(slash + 1), "");
    if (!given || *given == 0 || *given > field.most) return false;
    step = static_cast<unsigned>(*given);
    text = text.substr(0, slash);
  }
  unsigned first = field.least, last = field.most;
  if (text != "*") {
    const std::size_t dash = text.find('-');
    const auto from = value_of(field, text.substr(0, dash));
    const auto to = dash == std::string_view::npos ? from : value_of(field, text.substr(dash + 1));
    if (!from || !to || *from > *to) return false;
    first = *from;
    last = dash == std::string_view::npos && slash != std::string_view::npos ? field.most : *to;  // "5/10": from 5 on
  }
  for (unsigned value = first; value <= last; value += step)
    values.push_back(value);
  return true;
}

Result<std::vector<unsigned>> values_of(const Field& field, std::string_view text) {
  std::vector<unsigned> values;
  for (const std::string_view part : split(text, ',')) {
    if (add_part(field, part, values)) continue;
    return fail(Code::invalid_argument, fmt::format("\"{}\" is no {}: * or {} to {}, also as 1-3, */2 or 1,3", part,
                                                    field.name, field.least, field.most));
  }
  return values;
}

Wall wall_of(absl::Time time) {
  return Wall(std::chrono::milliseconds(absl::ToUnixMillis(time)));
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  Cron cron;
  cron.text_ = std::string(trim(text));
  std::string_view rest = cron.text_;
  for (const std::string_view prefix : {"CRON_TZ=", "TZ="}) {
    if (!rest.starts_with(prefix)) continue;
    cron.zone_ = std::string(rest.substr(prefix.size(), rest.find(' ') - prefix.size()));
    rest = trim(rest.substr(std::min(rest.find(' '), rest.size())));
    absl::TimeZone zone;
    if (cron.zone_.empty() || !absl::LoadTimeZone(cron.zone_, &zone)) {
      return fail(Code::invalid_argument, fmt::format("there is no time zone \"{}\" here: one of /usr/share/zoneinfo, "
                                                      "like Europe/Berlin or UTC (package tzdata)",
                                                      cron.zone_));
    }
  }
  const auto named = std::ranges::find(kShort, rest, &std::pair<std::string_view, std::string_view>::first);
  if (named != kShort.end()) rest = named->second;
  std::vector<std::string_view> given;
  for (const std::string_view part : split(rest, ' '))
    if (!part.empty()) given.push_back(part);
  if (given.size() != fields().size()) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" is not when: it has {} fields, and there are five: minute, hour, day of the month, "
                            "month, day of the week; each day at three is \"0 3 * * *\", or @daily at midnight",
                            text, given.size()));
  }
  const auto read = [&](std::size_t field, auto& into) -> Result<> {
    TRY(const auto values, values_of(fields().at(field), given[field]));
    for (const unsigned value : values)
      into.set(value % into.size());  // 7 is Sunday, as 0
    return {};
  };
  TRYV(read(0, cron.minutes_));
  TRYV(read(1, cron.hours_));
  TRYV(read(2, cron.days_));
  TRYV(read(3, cron.months_));
  TRYV(read(4, cron.weekdays_));
  cron.every_hour_ = given[1].starts_with('*');
  cron.any_day_ = given[2].starts_with('*');
  cron.any_weekday_ = given[4].starts_with('*');
  return cron;
}

Result<Wall> Cron::next(Wall after) const {
  absl::TimeZone zone = absl::LocalTimeZone();
  if (!zone_.empty()) absl::LoadTimeZone(zone_, &zone);
  const absl::Time since = absl::FromUnixMillis(after.time_since_epoch().count());
  const auto is_day = [&](absl::CivilDay day) {
    if (!months_.test(static_cast<std::size_t>(day.month()))) return false;
    const bool of_month = days_.test(static_cast<std::size_t>(day.day()));
    // absl counts from Monday.
    const bool of_week = weekdays_.test((static_cast<std::size_t>(absl::GetWeekday(day)) + 1) % weekdays_.size());
    return any_day_ || any_weekday_ ? of_month && of_week : of_month || of_week;
  };
  const absl::CivilDay first(zone.At(since).cs);
  constexpr int kDays = 40 * 366;
  for (int i = 0; i < kDays; ++i) {
    const absl::CivilDay day = first + i;
    if (!is_day(day)) continue;
    std::optional<absl::Time> earliest;
    const auto consider = [&](absl::Time at) {
      if (at > since && (!earliest || at < *earliest)) earliest = at;
    };
    for (int minute = 0; minute < 24 * 60; ++minute) {
      if (!hours_.test(static_cast<std::size_t>(minute / 60)) || !minutes_.test(static_cast<std::size_t>(minute % 60)))
        continue;
      const absl::TimeZone::TimeInfo at =
          zone.At(absl::CivilSecond(day.year(), day.month(), day.day(), minute / 60, minute % 60));
      if (at.kind == absl::TimeZone::TimeInfo::SKIPPED) {
        if (!every_hour_) consider(at.trans);
      } else {
        consider(at.pre);
        if (every_hour_) consider(at.post);
      }
      if (earliest && at.kind == absl::TimeZone::TimeInfo::UNIQUE) break;  // what follows is later
    }
    if (earliest) return wall_of(*earliest);
  }
  return fail(Code::invalid_argument, fmt::format("\"{}\" never comes: there is no such day", text_));
}

Result<> check_cron(std::string_view text) {
  TRY(const Cron cron, Cron::parse(text));
  TRYV(cron.next(Wall()));
  return {};
}

}  // namespace cc::backup
