// When something is done again and again, as cron writes it: "0 3 * * *", "*/15 8-18 * * mon-fri", "@daily"; in the
// machine's time zone, or in that which stands before it: "TZ=Europe/Berlin 0 3 * * *".
#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace cc::backup {

class Cron {
 public:
  // Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday); each "*", or numbers,
  // names (jan, mon), ranges and steps, joined by commas. When neither kind of day begins with "*", either will do;
  // else both must. Or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually. invalid_argument that names
  // what is wrong.
  static Result<Cron> parse(std::string_view text);

  // The first time after that one. When clocks are set forward, what falls into the hour that there is not is done at
  // its end; when they are set back, what comes twice is done the first time: but with "*" as the hour, each hour that
  // passes counts. invalid_argument when there is none within the next forty years ("0 0 31 2 *").
  Result<Wall> next(Wall after) const;

 private:
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool every_hour_ = false, any_day_ = false, any_weekday_ = false;  // begins with "*"
  std::string zone_;                                                 // empty: the machine's
  std::string text_;
};

// What is wrong with it; also that there is no such time.
Result<> check_cron(std::string_view text);

}  // namespace cc::backup
