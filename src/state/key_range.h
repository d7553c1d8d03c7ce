// Which keys a ConfigFilter asks for, and walking through them: a range as far as the filter's words are a prefix, and
// past each long run of keys that cannot be meant straight to the next that can.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "state/database.h"
#include "state/queries.h"

namespace cc::state {

class KeyRange {
 public:
  explicit KeyRange(const ConfigFilter& filter) : filter_(filter) {}

  // Calls `each(rows)` for the rows whose first column is a key that is meant, in order and from behind `after`, until
  // it returns false. `rows_from(key)` asks for all rows from a key on, in order of key. Text that is looked for in the
  // content is left to `each`.
  template <class RowsFrom, class Each>
  void walk(const std::string& after, const RowsFrom& rows_from, const Each& each) const;

 private:
  static constexpr int kPassedBeforeSeeking = 16;  // a seek costs about as much as ten steps

  std::string start(const std::string& after) const;
  bool is_in_place(std::string_view key) const;  // all but text
  bool has_text(std::string_view key) const;
  // The smallest key behind one that is not in its place of which that may be true.
  std::optional<std::string> next_place(std::string_view key) const;

  const ConfigFilter& filter_;
};

template <class RowsFrom, class Each>
void KeyRange::walk(const std::string& after, const RowsFrom& rows_from, const Each& each) const {
  for (std::optional<std::string> from = start(after); from;) {
    Rows rows = rows_from(*std::exchange(from, std::nullopt));
    for (int passed = 0; passed < kPassedBeforeSeeking && rows.next();) {
      const std::string_view key = rows.view(0);
      if (is_in_place(key)) {
        passed = 0;
        if (has_text(key) && !each(rows)) return;
      } else if (++passed == kPassedBeforeSeeking) {
        from = next_place(key);
      }
    }
  }
}

}  // namespace cc::state
