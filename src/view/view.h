// What one I/O thread knows: every published config, every tombstone, and who waits on what.
//
// Not thread-safe and without I/O or locks: each I/O thread owns one. A change reaches it as a message
// (update), which first updates the map and then answers its watchers. Since checking and registering
// happen on that one thread without giving it up in between, no change can be missed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "model/words.h"

namespace cc::view {

// A key, or all keys that start with a prefix, and the revision that the watcher has.
struct Interest {
  std::string text;
  bool prefix = false;
  Revision after = 0;
};

class View;

// One who waits: a watcher, or one who waits for a revision. Forgotten by the view when it is destroyed. `wake` is
// called once, from View::update, when something it is interested in changed after its revisions, or the revision is
// there; it must not destroy a Waiter or change the view: it posts.
class Waiter {
 public:
  Waiter() = default;
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  bool waiting() const { return view_ != nullptr; }

 private:
  friend class View;
  struct Place;
  // One interest, linked with those of other waiters in the same place.
  struct Registration {
    Waiter* waiter = nullptr;
    Place* place = nullptr;
    Registration* previous = nullptr;
    Registration* next = nullptr;
    Revision after = 0;
  };
  View* view_ = nullptr;
  std::function<void()> wake_;
  std::unique_ptr<Registration[]> registrations_;
  std::size_t count_ = 0;
  Revision awaited_ = 0;  // 0: it is a watcher
};

class View {
 public:
  View();
  ~View();

  // Forgets what was there and takes everything at once, in any order, and the revision it is at. Then wakes.
  void load(const std::vector<ReleasePtr>& releases, Revision revision);
  // A commit's events, in order; an event that is not newer than what is there is ignored. Then wakes.
  void update(std::span<const Event> events, Revision revision);

  Revision revision() const { return revision_; }
  // Null when there never was such a config; a tombstone when it was deleted.
  ReleasePtr find(std::string_view key_text) const;
  std::size_t configs() const;  // published now
  std::size_t waiters() const;  // Waiters that wait
  std::uint64_t content_bytes() const;

  struct Changes {
    std::vector<ReleasePtr> releases;  // oldest first, without repeats; those of one revision are never parted
    Revision revision = 0;             // all up to this one were looked at; revision() when that is all there are
    std::size_t looked_at = 0;         // what it cost
  };
  using Filter = std::function<bool(const Release&)>;
  // Releases and tombstones among `interests` that are newer than each one's revision and pass the filter (none: all
  // do). With a `limit` it ends with the revision that reaches it, or when it has looked at more than is good for those
  // who wait for this thread: ask again for what is newer than `revision`, so that nothing is missed. It then costs
  // what it tells, or what stands in the interests' places, whichever is less. 0: all.
  Changes changes(std::span<const Interest> interests, std::size_t limit = 0, const Filter& filter = {}) const;

  // requires: changes(interests) has nothing now, and the waiter is not waiting.
  void wait(Waiter& waiter, std::span<const Interest> interests, std::function<void()> wake);
  // For the first update that makes revision() at least `revision`.
  // requires: revision() < `revision`, and the waiter is not waiting.
  void wait_for(Waiter& waiter, Revision revision, std::function<void()> wake);
  void forget(Waiter& waiter);

  // Published configs with the prefix, in order of key, from `after` (exclusive), at most `limit`.
  std::vector<ReleasePtr> list(std::string_view prefix, std::string_view after, std::size_t limit) const;

 private:
  void take(const std::vector<Waiter*>& due, std::vector<std::function<void()>>& wakes);
  void take_reached(std::vector<std::function<void()>>& wakes);

  struct Impl;
  std::unique_ptr<Impl> impl_;
  Revision revision_ = 0;
};

}  // namespace cc::view
