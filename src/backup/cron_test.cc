#include "backup/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/process.h"
#include "base/text.h"

namespace cc::backup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The next few times, in UTC, without what is always zero.
std::vector<std::string> times(std::string_view cron, std::string_view after, int count = 3) {
  std::vector<std::string> out;
  const Cron parsed = Cron::parse(cron).value();
  Wall at = parse_time(after).value();
  while (count-- > 0) {
    at = parsed.next(at).value();
    const std::string text = format_time(at);
    EXPECT_TRUE(text.ends_with(":00.000Z")) << text;
    out.push_back(text.substr(0, 16));
  }
  return out;
}

std::string in_utc(std::string_view cron) {
  return "TZ=UTC " + std::string(cron);
}
std::string in_berlin(std::string_view cron) {
  return "TZ=Europe/Berlin " + std::string(cron);
}

TEST(Cron, takes_numbers_names_ranges_steps_lists_and_names_for_the_usual) {
  for (const char* fine :
       {"0 3 * * *", "*/15 * * * *", "0 0 1,15 * *", "30 2 * jan-MAR mon-fri", "0-30/10 8-18 * * 1-5", "59 23 31 12 7",
        " 0  3 * * sun ", "@daily", "TZ=Asia/Shanghai 0 3 * * *", "CRON_TZ=UTC @weekly", "0 0 29 2 *"}) {
    EXPECT_TRUE(check_cron(fine)) << fine;
  }
}

TEST(Cron, names_what_is_wrong) {
  const auto told = [](std::string_view text) {
    const auto checked = check_cron(text);
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_THAT(told("nonsense"), HasSubstr("five"));
  EXPECT_THAT(told(""), HasSubstr("five"));
  EXPECT_THAT(told("@sometimes"), HasSubstr("five"));
  EXPECT_THAT(told("0 3 * * * *"), HasSubstr("five"));
  EXPECT_THAT(told("60 3 * * *"), HasSubstr("minute"));
  EXPECT_THAT(told("0 24 * * *"), HasSubstr("hour"));
  EXPECT_THAT(told("0 3 0 * *"), HasSubstr("day of the month"));
  EXPECT_THAT(told("0 3 * 13 *"), HasSubstr("month"));
  EXPECT_THAT(told("0 3 * * fry"), HasSubstr("week"));
  EXPECT_THAT(told("*/0 3 * * *"), HasSubstr("minute"));
  EXPECT_THAT(told("30-10 3 * * *"), HasSubstr("minute"));
  EXPECT_THAT(told("1,,2 3 * * *"), HasSubstr("minute"));
  EXPECT_THAT(told("TZ=Mars/Olympus 0 3 * * *"), HasSubstr("Mars/Olympus"));
  EXPECT_THAT(told("0 0 31 2 *"), HasSubstr("never comes"));
}

TEST(Cron, the_next_times) {
  constexpr auto kFriday = "2026-02-27T12:34:56Z";
  EXPECT_THAT(times(in_utc("0 3 * * *"), kFriday),
              ElementsAre("2026-02-28T03:00", "2026-03-01T03:00", "2026-03-02T03:00"));
  EXPECT_THAT(times(in_utc("*/20 * * * *"), kFriday),
              ElementsAre("2026-02-27T12:40", "2026-02-27T13:00", "2026-02-27T13:20"));
  EXPECT_THAT(times(in_utc("5/25 23 * * *"), kFriday),
              ElementsAre("2026-02-27T23:05", "2026-02-27T23:30", "2026-02-27T23:55"));
  EXPECT_THAT(times(in_utc("0 0 31 * *"), kFriday),
              ElementsAre("2026-03-31T00:00", "2026-05-31T00:00", "2026-07-31T00:00"));
  EXPECT_THAT(times(in_utc("0 0 29 2 *"), kFriday),
              ElementsAre("2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"));
  EXPECT_THAT(times(in_utc("@weekly"), kFriday),
              ElementsAre("2026-03-01T00:00", "2026-03-08T00:00", "2026-03-15T00:00"));
  EXPECT_THAT(times(in_utc("@yearly"), kFriday, 1), ElementsAre("2027-01-01T00:00"));
  EXPECT_THAT(times(in_utc("30 2 * * 7"), kFriday, 1), ElementsAre("2026-03-01T02:30"));
  EXPECT_THAT(times("TZ=Asia/Shanghai 0 3 * * *", kFriday, 1), ElementsAre("2026-02-27T19:00"));
  EXPECT_THAT(times(in_utc("34 12 * * *"), "2026-02-27T12:34:00Z", 1), ElementsAre("2026-02-28T12:34"))
      << "what is now has been";
}

TEST(Cron, of_two_kinds_of_days_either_will_do) {
  constexpr auto kAfter = "2026-05-01T12:00:00Z";  // a Friday
  EXPECT_THAT(times(in_utc("0 0 15 * mon"), kAfter, 4),
              ElementsAre("2026-05-04T00:00", "2026-05-11T00:00", "2026-05-15T00:00", "2026-05-18T00:00"));
  EXPECT_THAT(times(in_utc("0 0 */2 * mon"), kAfter),
              ElementsAre("2026-05-11T00:00", "2026-05-25T00:00", "2026-06-01T00:00"))
      << "unless one of them begins with *";
}

// Berlin: on 29 March 2026 two o'clock is followed by three; on 25 October three is followed by two.
TEST(Cron, what_falls_into_an_hour_that_there_is_not_is_done_at_its_end) {
  EXPECT_THAT(times(in_berlin("30 2 * * *"), "2026-03-27T12:00:00Z"),
              ElementsAre("2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"));
  EXPECT_THAT(times(in_berlin("0 */6 * * *"), "2026-03-28T22:30:00Z"),
              ElementsAre("2026-03-28T23:00", "2026-03-29T04:00", "2026-03-29T10:00"));
  EXPECT_THAT(times(in_berlin("15 * * * *"), "2026-03-29T00:00:00Z"),
              ElementsAre("2026-03-29T00:15", "2026-03-29T01:15", "2026-03-29T02:15"))
      << "each hour that passes";
}

TEST(Cron, what_comes_twice_is_done_the_first_time) {
  EXPECT_THAT(times(in_berlin("30 2 * * *"), "2026-10-24T12:00:00Z"),
              ElementsAre("2026-10-25T00:30", "2026-10-26T01:30", "2026-10-27T01:30"));
  EXPECT_THAT(times(in_berlin("30 * * * *"), "2026-10-25T00:00:00Z"),
              ElementsAre("2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"))
      << "each hour that passes";
}

// Where the two languages meet.
TEST(Cron, agrees_with_systemd) {
  const auto pairs =
      std::to_array<std::pair<const char*, const char*>>({{"0 3 * * *", "*-*-* 03:00 UTC"},
                                                          {"*/15 8-18 * * mon-fri", "Mon..Fri *-*-* 08..18:00/15 UTC"},
                                                          {"0 0 1,15 * *", "*-*-01,15 00:00 UTC"},
                                                          {"59 23 31 12 *", "*-12-31 23:59 UTC"},
                                                          {"0 12 * * sun", "Sun *-*-* 12:00 UTC"}});
  for (const auto& [cron, calendar] : pairs) {
    const auto told = run_process({"env", "TZ=UTC", "systemd-analyze", "calendar", "--iterations=5",
                                   "--base-time=2026-02-27 12:34:56 UTC", calendar},
                                  "", {});
    if (!told || !told->good()) GTEST_SKIP() << "systemd-analyze cannot be asked here";
    std::vector<std::string> theirs;
    for (const std::string_view line : split(told->output, '\n')) {
      // "Next elapse: Sat 2026-02-28 03:00:00 UTC", "Iter. #2: …".
      const bool is_time = line.contains("Next elapse:") || line.contains("Iter. #");
      const auto year = line.find("20");
      if (is_time && year != std::string_view::npos && line.ends_with("UTC"))
        theirs.push_back(fmt::format("{}T{}", line.substr(year, 10), line.substr(year + 11, 5)));
    }
    EXPECT_EQ(times(in_utc(cron), "2026-02-27T12:34:56Z", 5), theirs) << told->output;
  }
}

}  // namespace
}  // namespace cc::backup
