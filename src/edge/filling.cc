#include "edge/filling.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "edge/writing.h"

namespace cc::edge {
namespace {

const Logger kLog{"edge"};

// Who fills and does not come that far in this time has died.
constexpr std::string_view kMarkMs = "30000";
constexpr std::size_t kReleasesAtOnce = 500;
constexpr std::uint64_t kBytesAtOnce = 1 << 20;
constexpr auto kReadingState = std::chrono::minutes(10);

using Published = std::unordered_set<Hash128, Hash128::Hasher>;

// For SCAN's MATCH: keys that begin with `prefix`.
std::string pattern_of(std::string_view prefix) {
  std::string pattern;
  for (const char c : prefix) {
    if (std::string_view("*?[]\\^-").contains(c)) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern + "*";
}

class Filling {
 public:
  Filling(Redis& redis, const Keys& keys, std::uint64_t term)
      : redis_(redis), keys_(keys), term_(term), mark_(fmt::format("{} {}", term, random_id())) {}

  Result<> take_mark(const MaybePosition& found) {
    redis_.add({"WATCH", keys_.position(), keys_.filling()});
    add_read_position(redis_, keys_);
    redis_.add({"GET", keys_.filling()});
    TRY(const auto replies, redis_.exchange());
    TRY(const auto position, position_of(replies[1], keys_));
    const std::string& other = replies[2].text;
    const auto term = parse_uint(std::string_view(other).substr(0, other.find(' ')), "the term");
    if (position != found) return moved();
    if (term && *term > term_) return fail(Code::conflict, "a newer leader fills the edge copy");
    redis_.begin();
    redis_.add({"DEL", keys_.position()});
    redis_.add({"SET", keys_.filling(), mark_, "PX", kMarkMs});
    return commit();
  }

  Result<> add(const Release& release) {
    published_.insert(hash128(release.key_text));
    if (held_ == 0) TRYV(begin());
    ++held_;
    bytes_ += release.content.size();
    add_release(redis_, keys_, release);
    return held_ < kReleasesAtOnce && bytes_ < kBytesAtOnce ? Result<>() : write();
  }

  // What is held back to be written with more of it.
  Result<> write() {
    if (held_ == 0) return {};
    held_ = 0;
    bytes_ = 0;
    redis_.add({"PEXPIRE", keys_.filling(), kMarkMs});
    return commit();
  }

  // Away with what is under the prefix and not published.
  Result<std::size_t> sweep() {
    const std::string pattern = pattern_of(keys_.prefix);
    std::size_t removed = 0;
    std::string cursor = "0";
    do {
      redis_.add({"PEXPIRE", keys_.filling(), kMarkMs});  // there may be much to look through that is not ours
      TRY(const Reply reply, redis_.ask({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"}));
      if (reply.items.size() != 2) return fail(Code::internal, "Redis answers SCAN with something else");
      cursor = reply.items[0].text;
      std::vector<std::string> gone;
      for (const Reply& key : reply.items[1].items) {
        if (is_left_over(key.text)) gone.push_back(key.text);
      }
      TRYV(remove(gone));
      removed += gone.size();
    } while (cursor != "0");
    return removed;
  }

  Result<> finish(const Position& position) {
    TRYV(begin());
    add_write_position(redis_, keys_, position);
    redis_.add({"DEL", keys_.filling()});
    add_message_of_everything(redis_, keys_, position.revision);
    return commit();
  }

  std::size_t count() const { return published_.size(); }

 private:
  static std::unexpected<Error> moved() {
    return fail(Code::conflict, "somebody else has written to the edge copy meanwhile");
  }

  // A transaction that is done only while the mark is ours.
  Result<> begin() {
    redis_.add({"WATCH", keys_.filling()});
    TRY(const Reply mark, redis_.ask({"GET", keys_.filling()}));
    if (mark.text != mark_) return moved();
    redis_.begin();
    return {};
  }
  Result<> commit() {
    TRY(const bool done, redis_.commit());
    if (!done) return moved();
    return {};
  }

  bool is_left_over(std::string_view key) const {
    for (const std::string& start : {keys_.content(""), keys_.meta("")}) {
      if (key.starts_with(start)) return !published_.contains(hash128(key.substr(start.size())));
    }
    return false;
  }
  Result<> remove(const std::vector<std::string>& gone) {
    if (gone.empty()) return {};
    TRYV(begin());
    for (const std::string& key : gone)
      redis_.add({"UNLINK", key});
    redis_.add({"PEXPIRE", keys_.filling(), kMarkMs});
    return commit();
  }

  Redis& redis_;
  const Keys& keys_;
  std::uint64_t term_;
  std::string mark_;
  Published published_;
  std::size_t held_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<Position> fill(Redis& redis, const Keys& keys, const state::Feed& feed, const MaybePosition& found,
                      std::uint64_t term, const Clock& clock, const std::stop_token& stop) {
  const auto began = clock.now();
  Filling filling(redis, keys, term);
  TRYV(filling.take_mark(found));
  const Deadline until(clock, began + kReadingState, stop);
  Revision newest = 0;
  const auto each = [&](const state::FeedRelease& one) {
    newest = std::max(newest, one.release->revision);
    return filling.add(*one.release);
  };
  TRY(const auto filled_to, feed.published(each, until));
  TRYV(filling.write());
  TRY(const std::size_t removed, filling.sweep());
  TRY(Position position, position_at(feed, filled_to.release, until));
  position.revision = newest;
  TRYV(filling.finish(position));
  kLog.info("the edge copy was filled",
            {{"configs", filling.count()},
             {"removed", removed},
             {"release", position.release},
             {"took", format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - began))}});
  return position;
}

}  // namespace cc::edge
