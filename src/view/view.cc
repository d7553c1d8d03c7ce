#include "view/view.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index_container.hpp>

namespace cc::view {

// A key or a prefix that somebody waits on.
struct Waiter::Place {
  const std::string* text = nullptr;  // its key in the map that holds it
  bool prefix = false;
  Registration* first = nullptr;
};

namespace {

namespace mi = boost::multi_index;

struct KeyText {
  using result_type = std::string_view;
  result_type operator()(const ReleasePtr& release) const { return release->key_text; }
};
struct RevisionOf {
  using result_type = Revision;
  result_type operator()(const ReleasePtr& release) const { return release->revision; }
};

// One node for each release, found by key (hot path), in order of key (prefixes), in order of revision (changes).
using Releases =
    mi::multi_index_container<ReleasePtr,
                              mi::indexed_by<mi::hashed_unique<KeyText, std::hash<std::string_view>>,
                                             mi::ordered_unique<KeyText>, mi::ordered_non_unique<RevisionOf>>>;
constexpr std::size_t kByKey = 0, kInOrder = 1, kByRevision = 2;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

using Found = std::vector<const ReleasePtr*>;

// With a limit, no more are looked at at once than this: about a millisecond.
constexpr std::size_t kMostLookedAt = 4096;

// Whether anybody wants a release, at the price of finding its key among the interests.
class Wanted {
 public:
  explicit Wanted(std::span<const Interest> interests) {
    // Ordered maps: nobody can choose names that make them slow.
    std::map<std::string_view, Revision> prefixes;
    for (const Interest& one : interests) {
      const auto at = (one.prefix ? prefixes : keys_).try_emplace(one.text, one.after).first;
      at->second = std::min(at->second, one.after);
      oldest_ = std::min(oldest_, one.after);
    }
    prefixes_.reserve(prefixes.size());
    std::size_t around = kNone;
    for (const auto& [text, after] : prefixes) {
      while (around != kNone && !text.starts_with(prefixes_[around].text))
        around = prefixes_[around].around;
      // What is newer than a shorter prefix asks for, that one wants already.
      const Revision least = around == kNone ? after : std::min(after, prefixes_[around].after);
      prefixes_.push_back({.text = text, .after = least, .around = around});
      around = prefixes_.size() - 1;
    }
  }

  Revision oldest() const { return oldest_; }

  bool has(const Release& release) const {
    const std::string_view key = release.key_text;
    if (const auto at = keys_.find(key); at != keys_.end() && release.revision > at->second) return true;
    // In order of text, the last one before the key is its longest prefix here, or stands inside of that.
    auto at = static_cast<std::size_t>(std::ranges::upper_bound(prefixes_, key, {}, &Prefix::text) - prefixes_.begin());
    for (at = at == 0 ? kNone : at - 1; at != kNone; at = prefixes_[at].around) {
      if (key.starts_with(prefixes_[at].text)) return release.revision > prefixes_[at].after;
    }
    return false;
  }

 private:
  static constexpr std::size_t kNone = std::size_t(-1);
  struct Prefix {
    std::string_view text;
    Revision after;
    std::size_t around;  // the longest prefix of this one, or kNone
  };
  std::map<std::string_view, Revision> keys_;
  std::vector<Prefix> prefixes_;  // in order of text
  Revision oldest_ = std::numeric_limits<Revision>::max();
};

// What stands in the interests' places, one after the other.
class Standing {
 public:
  Standing(const Releases& releases, std::span<const Interest> interests)
      : releases_(releases), interests_(interests), below_(releases.get<kInOrder>().end()) {}

  // Goes one further, and adds what is there when it is wanted; false when there is no more.
  bool step(const View::Filter& filter, Found& found) {
    if (at_ == interests_.size()) return false;
    const Interest& interest = interests_[at_];
    const ReleasePtr* there = interest.prefix ? next_below(interest.text) : find(interest.text);
    if (there == nullptr || !interest.prefix) {
      ++at_;
      inside_ = false;
    }
    if (there != nullptr && (*there)->revision > interest.after && (!filter || filter(**there))) found.push_back(there);
    return true;
  }

 private:
  const ReleasePtr* find(std::string_view key) const {
    const auto& by_key = releases_.get<kByKey>();
    const auto at = by_key.find(key);
    return at == by_key.end() ? nullptr : &*at;
  }
  const ReleasePtr* next_below(std::string_view prefix) {
    const auto& in_order = releases_.get<kInOrder>();
    below_ = std::exchange(inside_, true) ? std::next(below_) : in_order.lower_bound(prefix);
    return below_ == in_order.end() || !(*below_)->key_text.starts_with(prefix) ? nullptr : &*below_;
  }

  const Releases& releases_;
  std::span<const Interest> interests_;
  std::size_t at_ = 0;
  Releases::nth_index<kInOrder>::type::const_iterator below_;
  bool inside_ = false;
};

}  // namespace

struct View::Impl {
  using Place = Waiter::Place;
  using Registration = Waiter::Registration;
  using Places = std::unordered_map<std::string, Place, TextHash, std::equal_to<>>;
  using Wakes = std::vector<std::function<void()>>;

  Places& places(bool prefix) { return prefix ? prefixes : keys; }
  Place& place(std::string_view text, bool prefix);
  void link(Registration& registration, Place& at);
  void unlink(Registration& registration);
  void count(const Release& release, bool add);
  bool put(const ReleasePtr& release);
  static void add_due(const Place& at, Revision revision, std::vector<Waiter*>& due);

  Releases releases;
  Places keys, prefixes;
  std::map<std::size_t, std::size_t> prefix_lengths;  // length → places in `prefixes`
  std::set<std::pair<Revision, Waiter*>> awaiting;    // who waits for a revision
  std::size_t configs = 0, waiters = 0;
  std::uint64_t content_bytes = 0;
};

View::Impl::Place& View::Impl::place(std::string_view text, bool prefix) {
  Places& all = places(prefix);
  auto at = all.find(text);
  if (at == all.end()) {
    at = all.try_emplace(std::string(text)).first;
    at->second.text = &at->first;
    at->second.prefix = prefix;
    if (prefix) ++prefix_lengths[text.size()];
  }
  return at->second;
}

void View::Impl::link(Registration& registration, Place& at) {
  registration.place = &at;
  registration.next = at.first;
  if (at.first != nullptr) at.first->previous = &registration;
  at.first = &registration;
}

void View::Impl::unlink(Registration& registration) {
  Place& at = *registration.place;
  if (registration.previous != nullptr) registration.previous->next = registration.next;
  if (registration.next != nullptr) registration.next->previous = registration.previous;
  if (at.first == &registration) at.first = registration.next;
  if (at.first != nullptr) return;
  if (at.prefix) {
    const auto length = prefix_lengths.find(at.text->size());
    if (--length->second == 0) prefix_lengths.erase(length);
  }
  Places& all = places(at.prefix);
  all.erase(all.find(*at.text));
}

void View::Impl::count(const Release& release, bool add) {
  if (release.deleted) return;
  configs += add ? 1 : std::size_t(-1);
  content_bytes += add ? release.content.size() : -std::uint64_t(release.content.size());
}

bool View::Impl::put(const ReleasePtr& release) {
  auto& by_key = releases.get<kByKey>();
  if (const auto there = by_key.find(std::string_view(release->key_text)); there != by_key.end()) {
    if ((*there)->revision >= release->revision) return false;
    count(**there, false);
    by_key.replace(there, release);
  } else {
    by_key.insert(release);
  }
  count(*release, true);
  return true;
}

// Who waits here and has not seen `revision`.
void View::Impl::add_due(const Place& at, Revision revision, std::vector<Waiter*>& due) {
  for (const Registration* one = at.first; one != nullptr; one = one->next) {
    if (revision > one->after) due.push_back(one->waiter);
  }
}

Waiter::~Waiter() {
  if (view_ != nullptr) view_->forget(*this);
}

View::View() : impl_(std::make_unique<Impl>()) {}

View::~View() {
  for (auto* places : {&impl_->keys, &impl_->prefixes}) {
    for (auto& [text, place] : *places) {
      for (auto* one = place.first; one != nullptr; one = one->next)
        one->waiter->view_ = nullptr;
    }
  }
  for (const auto& [revision, waiter] : impl_->awaiting)
    waiter->view_ = nullptr;
}

void View::load(const std::vector<ReleasePtr>& releases, Revision revision) {
  impl_->releases.clear();
  impl_->configs = 0;
  impl_->content_bytes = 0;
  impl_->releases.get<kByKey>().reserve(releases.size());
  for (const ReleasePtr& release : releases)
    impl_->put(release);
  revision_ = revision;

  std::vector<Waiter*> due;
  for (const auto& [text, place] : impl_->keys) {
    if (const ReleasePtr release = find(text)) Impl::add_due(place, release->revision, due);
  }
  for (const auto& [text, place] : impl_->prefixes) {
    Revision newest = 0;
    const auto& in_order = impl_->releases.get<kInOrder>();
    for (auto at = in_order.lower_bound(std::string_view(text));
         at != in_order.end() && (*at)->key_text.starts_with(text); ++at)
      newest = std::max(newest, (*at)->revision);
    Impl::add_due(place, newest, due);
  }
  Impl::Wakes wakes;
  take(due, wakes);
  take_reached(wakes);
  for (const auto& wake : wakes)
    wake();
}

void View::update(std::span<const Event> events, Revision revision) {
  std::vector<const Release*> changed;
  for (const Event& event : events) {
    if (impl_->put(event.release)) changed.push_back(event.release.get());
  }
  revision_ = std::max(revision_, revision);

  // Waiters are taken out release by release, so that a commit of many releases passes each of them once.
  Impl::Wakes wakes;
  std::vector<Waiter*> due;
  for (const Release* release : changed) {
    const std::string_view key = release->key_text;
    if (const auto at = impl_->keys.find(key); at != impl_->keys.end())
      Impl::add_due(at->second, release->revision, due);
    for (const auto& [length, count] : impl_->prefix_lengths) {
      if (length > key.size()) break;
      if (const auto at = impl_->prefixes.find(key.substr(0, length)); at != impl_->prefixes.end())
        Impl::add_due(at->second, release->revision, due);
    }
    take(due, wakes);
    due.clear();
  }
  take_reached(wakes);
  for (const auto& wake : wakes)
    wake();
}

void View::take(const std::vector<Waiter*>& due, std::vector<std::function<void()>>& wakes) {
  for (Waiter* waiter : due) {
    if (!waiter->waiting()) continue;  // stands there twice
    wakes.push_back(std::move(waiter->wake_));
    forget(*waiter);
  }
}

void View::take_reached(std::vector<std::function<void()>>& wakes) {
  while (!impl_->awaiting.empty() && impl_->awaiting.begin()->first <= revision_)
    take({impl_->awaiting.begin()->second}, wakes);
}

ReleasePtr View::find(std::string_view key_text) const {
  const auto& by_key = impl_->releases.get<kByKey>();
  const auto at = by_key.find(key_text);
  return at == by_key.end() ? nullptr : *at;
}

std::size_t View::configs() const {
  return impl_->configs;
}
std::size_t View::waiters() const {
  return impl_->waiters;
}
std::uint64_t View::content_bytes() const {
  return impl_->content_bytes;
}

// Walks the interests' places and the revisions after theirs side by side, and believes the one that ends first: a
// watcher that is nearly up to date costs what changed since, one that is far behind what it is told, one of few
// configs what stands there.
View::Changes View::changes(std::span<const Interest> interests, std::size_t limit, const Filter& filter) const {
  Changes changes{.releases = {}, .revision = revision_};
  Found found;
  Standing standing(impl_->releases, interests);
  if (std::ranges::none_of(interests, &Interest::prefix)) {
    while (standing.step(filter, found))
      ++changes.looked_at;
  } else {
    const Wanted wanted(interests);
    const auto& by_revision = impl_->releases.get<kByRevision>();
    Found recent;
    auto next = by_revision.upper_bound(wanted.oldest());
    Revision looked_at = wanted.oldest();
    while (standing.step(filter, found)) {
      ++changes.looked_at;
      const bool enough = limit != 0 && (recent.size() >= limit || changes.looked_at >= kMostLookedAt);
      const bool at_end = next == by_revision.end();
      if (at_end || (enough && (*next)->revision != looked_at)) {
        if (!at_end) changes.revision = looked_at;
        found = std::move(recent);
        break;
      }
      looked_at = (*next)->revision;
      if (wanted.has(**next) && (!filter || filter(**next))) recent.push_back(&*next);
      ++next;
    }
  }
  std::ranges::sort(found, [](const ReleasePtr* a, const ReleasePtr* b) {
    return std::pair((*a)->revision, std::string_view((*a)->key_text)) <
           std::pair((*b)->revision, std::string_view((*b)->key_text));
  });
  const auto repeats = std::ranges::unique(found);
  found.erase(repeats.begin(), repeats.end());
  for (const ReleasePtr* release : found) {
    if (limit != 0 && changes.releases.size() >= limit && changes.releases.back()->revision != (*release)->revision) {
      changes.revision = changes.releases.back()->revision;
      break;
    }
    changes.releases.push_back(*release);
  }
  return changes;
}

void View::wait(Waiter& waiter, std::span<const Interest> interests, std::function<void()> wake) {
  waiter.view_ = this;
  waiter.wake_ = std::move(wake);
  waiter.count_ = interests.size();
  waiter.registrations_ = std::make_unique<Waiter::Registration[]>(interests.size());
  for (std::size_t i = 0; i < interests.size(); ++i) {
    Waiter::Registration& one = waiter.registrations_[i];
    one.waiter = &waiter;
    one.after = interests[i].after;
    impl_->link(one, impl_->place(interests[i].text, interests[i].prefix));
  }
  ++impl_->waiters;
}

void View::wait_for(Waiter& waiter, Revision revision, std::function<void()> wake) {
  waiter.view_ = this;
  waiter.wake_ = std::move(wake);
  waiter.awaited_ = revision;
  impl_->awaiting.emplace(revision, &waiter);
  ++impl_->waiters;
}

void View::forget(Waiter& waiter) {
  if (waiter.view_ != this) return;
  if (waiter.awaited_ != 0) impl_->awaiting.erase({std::exchange(waiter.awaited_, 0), &waiter});
  for (std::size_t i = 0; i < waiter.count_; ++i)
    impl_->unlink(waiter.registrations_[i]);
  waiter.registrations_.reset();
  waiter.count_ = 0;
  waiter.wake_ = nullptr;
  waiter.view_ = nullptr;
  --impl_->waiters;
}

std::vector<ReleasePtr> View::list(std::string_view prefix, std::string_view after, std::size_t limit) const {
  const auto& in_order = impl_->releases.get<kInOrder>();
  std::vector<ReleasePtr> out;
  auto at = after.empty() || after < prefix ? in_order.lower_bound(prefix) : in_order.upper_bound(after);
  for (; at != in_order.end() && (*at)->key_text.starts_with(prefix) && out.size() < limit; ++at) {
    if (!(*at)->deleted) out.push_back(*at);
  }
  return out;
}

}  // namespace cc::view
