#include "consensus/raft.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace cc::consensus {
namespace {

constexpr Index kCaughtUp = 1024;              // entries behind, at most, to become a voter
constexpr int kTimeoutsOfAnInstallation = 20;  // election timeouts until a snapshot is offered again
constexpr std::string_view kNothing{"\0\0\0\0\0\0\0\0", 8};

}  // namespace

Raft::Raft(Options options, Stored stored, Port& port)
    : options_(options),
      port_(port),
      random_(options.seed),
      term_(stored.term),
      vote_(stored.vote),
      snapshot_(std::move(stored.snapshot)),
      first_(stored.first),
      entries_(std::move(stored.entries)),
      on_disk_(last()),
      commit_(snapshot_.index) {
  history_.push_back({snapshot_.members_index, snapshot_.members});
}

Result<> Raft::start(Mono now) {
  for (Index index = first_; index <= last(); ++index) {
    if (entry(index).kind != EntryKind::members || index <= history_.back().index) continue;
    TRY(Members members, Members::decode(entry(index).bytes));
    history_.push_back({index, std::move(members)});
  }
  await_election(now);
  if (only_voter()) return elect(false, now);
  return {};
}

// --- time ---

void Raft::await_election(Mono now) {
  const auto least = options_.election_timeout;
  std::uniform_int_distribution<std::int64_t> more(0, least.count());
  election_ = now + least + std::chrono::milliseconds(more(random_));
}

bool Raft::heard_of_leader(Mono now) const {
  return role_ == Role::leader || (leader_ != 0 && now - heard_ < options_.election_timeout);
}

// What the leader of a term sends in it cuts nothing that it sent in it; and a leader's log is cut by nobody in its
// term.
bool Raft::can_be_told(const Message& message, bool writing) const {
  if (!writing && is_on_disk()) return true;
  return leads() ? message.term <= term_ : !writing && message.term == term_;
}

Result<> Raft::tick(Mono now) {
  if (role_ != Role::leader) {
    if (now < election_ || !members().votes(options_.self)) return {};
    return campaign(false, now);
  }
  if (now - checked_ >= options_.election_timeout) {
    checked_ = now;
    std::set<NodeId> heard;
    if (members().votes(options_.self)) heard.insert(options_.self);
    for (const auto& [id, progress] : progress_) {
      if (now - progress.heard < options_.election_timeout && members().votes(id)) heard.insert(id);
    }
    if (!majority(heard)) return follow(term_, 0, now);
  }
  if (transfer_ && now >= transfer_->until) transfer_.reset();
  promote_who_caught_up(now);
  return {};
}

// --- elections ---

bool Raft::majority(const std::set<NodeId>& of) const {
  const auto voters = std::ranges::count_if(of, [this](NodeId id) { return members().votes(id); });
  return static_cast<std::size_t>(voters) >= members().majority();
}

bool Raft::up_to_date(const Message& candidate) const {
  return std::pair(candidate.index_term, candidate.index) >= std::pair(last_term(), last());
}

Result<> Raft::campaign(bool urgent, Mono now) {
  leader_ = 0;
  if (urgent || only_voter()) return elect(urgent, now);
  role_ = Role::candidate;
  before_the_vote_ = true;
  votes_ = {options_.self};
  await_election(now);
  Message request = message(Message::Kind::vote_request);
  request.term = term_ + 1;
  request.pre = true;
  request.index = last();
  request.index_term = last_term();
  for (const Member& member : members().all) {
    if (member.id != options_.self && member.membership == Membership::voter) port_.send(member.id, request);
  }
  return {};
}

Result<> Raft::elect(bool urgent, Mono now) {
  TRYV(port_.store(term_ + 1, options_.self));
  ++term_;
  vote_ = options_.self;
  leader_ = 0;
  role_ = Role::candidate;
  before_the_vote_ = false;
  votes_ = {options_.self};
  await_election(now);
  if (majority(votes_)) return lead(now);
  Message request = message(Message::Kind::vote_request);
  request.urgent = urgent;
  request.index = last();
  request.index_term = last_term();
  for (const Member& member : members().all) {
    if (member.id != options_.self && member.membership == Membership::voter) port_.send(member.id, request);
  }
  return {};
}

Result<> Raft::on_vote_request(NodeId from, const Message& message_, Mono now) {
  // Who has a leader is not disturbed, not even by a higher term.
  if (!message_.urgent && heard_of_leader(now)) {
    Message reply = message(Message::Kind::vote_reply);
    reply.pre = message_.pre;
    port_.send(from, reply);
    return {};
  }
  if (!message_.pre && message_.term > term_) TRYV(follow(message_.term, 0, now));
  Message reply = message(Message::Kind::vote_reply);
  reply.pre = message_.pre;
  const bool could = message_.pre ? message_.term > term_
                                  : message_.term == term_ && (vote_ == 0 || vote_ == from) && role_ != Role::leader;
  reply.yes = could && up_to_date(message_);
  if (reply.yes && message_.pre) reply.term = message_.term;
  if (reply.yes && !message_.pre) {
    if (vote_ != from) TRYV(port_.store(term_, from));
    vote_ = from;
    await_election(now);
  }
  port_.send(from, reply);
  return {};
}

Result<> Raft::on_vote_reply(NodeId from, const Message& message_, Mono now) {
  if (!message_.yes) {
    if (message_.term > term_) return follow(message_.term, 0, now);
    return {};
  }
  if (role_ != Role::candidate || message_.pre != before_the_vote_) return {};
  if (message_.term != (message_.pre ? term_ + 1 : term_)) return {};
  votes_.insert(from);
  if (!majority(votes_)) return {};
  return before_the_vote_ ? elect(false, now) : lead(now);
}

Result<> Raft::follow(Term term, NodeId leader, Mono now) {
  if (term > term_) {
    TRYV(port_.store(term, 0));
    term_ = term;
    vote_ = 0;
  }
  if (role_ == Role::leader) lead_no_more();
  if (role_ != Role::follower) await_election(now);
  role_ = Role::follower;
  leader_ = leader;
  return {};
}

Result<> Raft::lead(Mono now) {
  role_ = Role::leader;
  leader_ = options_.self;
  lead_no_more();  // what is left of an earlier time
  owed_.reset();
  checked_ = now;
  for (const Member& member : members().all) {
    if (member.id != options_.self) progress_[member.id] = {.next = last() + 1, .heard = now};
  }
  first_of_term_ = last() + 1;
  // Entries of earlier terms are committed by one of this term only. Those of the only voter are: nobody else can win.
  if (!only_voter()) {
    push({.term = term_, .kind = EntryKind::barrier, .bytes = kNothing, .owner = nullptr});
  } else {
    first_of_term_ = 0;
  }
  advance_commit();
  return {};
}

void Raft::lead_no_more() {
  progress_.clear();
  admissions_.clear();
  transfer_.reset();
}

Result<> Raft::on_lead_now(NodeId from, const Message& message_, Mono now) {
  if (message_.term != term_ || role_ != Role::follower || leader_ != from) return {};
  if (message_.index != last() || !members().votes(options_.self)) return {};
  return campaign(true, now);
}

// --- the log ---

Term Raft::term_at(Index index) const {
  if (index == snapshot_.index) return snapshot_.term;
  if (index < first_ || index > last()) return 0;
  return entry(index).term;
}

std::pair<const Members&, Index> Raft::members_at(Index index) const {
  const AsOf* newest = &history_.front();
  for (const AsOf& each : history_) {
    if (each.index <= index) newest = &each;
  }
  return {newest->members, newest->index};
}

void Raft::push(Entry entry) {
  entries_.push_back(std::move(entry));
}

Index Raft::append(std::span<const Entry> entries) {
  const Index first = last() + 1;
  for (Entry entry : entries) {
    entry.term = term_;
    push(std::move(entry));
  }
  return first;
}

void Raft::written(Index upto) {
  on_disk_ = std::max(on_disk_, std::min(upto, last()));
  if (role_ == Role::leader) advance_commit();
  if (owed_ && is_on_disk()) port_.send(owed_to_, *std::exchange(owed_, std::nullopt));
}

void Raft::compact(Index index, Term term, std::uint64_t keep) {
  const auto [members, members_index] = members_at(index);
  snapshot_ = {.index = index, .term = term, .members = members, .members_index = members_index};
  while (!entries_.empty() && first_ + keep <= index) {
    entries_.pop_front();
    ++first_;
  }
  std::erase_if(history_, [&](const AsOf& each) { return each.index < snapshot_.members_index; });
}

void Raft::installed(const SnapshotPoint& point) {
  snapshot_ = point;
  entries_.clear();
  first_ = point.index + 1;
  on_disk_ = point.index;
  commit_ = std::max(commit_, point.index);
  history_ = {{point.members_index, point.members}};
  owed_.reset();
  if (role_ == Role::follower && leader_ != 0) {
    Message reply = message(Message::Kind::append_reply);
    reply.yes = true;
    reply.index = point.index;
    port_.send(leader_, reply);
  }
}

// It may have voted in that term; for whoever leads it, if it did not vote in vain.
Result<> Raft::admitted(NodeId by, Term term) {
  if (term <= term_) return {};
  TRYV(port_.store(term, by));
  term_ = term;
  vote_ = by;
  return {};
}

Result<> Raft::on_append(NodeId from, Message message_, Mono now) {
  Message reply = message(Message::Kind::append_reply);
  reply.round = message_.round;
  if (message_.term < term_) {
    reply.index = last();
    reply.commit = message_.index;
    port_.send(from, reply);
    return {};
  }
  if (message_.term == term_ && role_ == Role::leader) return {};  // there is one leader in a term: a forgery
  if (message_.term > term_ || role_ != Role::follower || leader_ != from) TRYV(follow(message_.term, from, now));
  reply.term = term_;
  heard_ = now;
  await_election(now);
  owed_.reset();

  const auto refuse = [&](Index at_most) -> Result<> {
    reply.index = at_most;
    reply.commit = message_.index;
    port_.send(from, reply);
    return {};
  };
  if (message_.index > last()) return refuse(last());
  Index at = message_.index;
  if (at > snapshot_.index && term_at(at) != message_.index_term) {
    // The whole term is somebody else's: one message less for each of its entries.
    const Term term = term_at(at);
    while (at > snapshot_.index && at >= first_ && term_at(at) == term)
      --at;
    return refuse(at);
  }
  const auto count = message_.entries.size();
  for (Entry& entry : message_.entries) {
    ++at;
    if (at <= snapshot_.index) continue;
    if (at <= last()) {
      if (term_at(at) == entry.term) continue;
      if (at <= commit_) {
        return fail(Code::corruption, fmt::format("node {} leads with another entry at {} than was committed here: the "
                                                  "logs of these nodes are not of one group",
                                                  from, at));
      }
      if (at <= on_disk_) TRYV(port_.truncate(at));
      entries_.resize(at - first_);
      on_disk_ = std::min(on_disk_, at - 1);
      while (history_.size() > 1 && history_.back().index >= at)
        history_.pop_back();
    }
    if (entry.kind == EntryKind::members) {
      TRY(Members members, Members::decode(entry.bytes));
      history_.push_back({at, std::move(members)});
    }
    push(std::move(entry));
  }
  const Index same = message_.index + count;  // as the leader's, up to here
  commit_ = std::max(commit_, std::min(message_.commit, same));
  reply.yes = true;
  reply.index = same;
  if (on_disk_ >= same) {
    port_.send(from, reply);
  } else {
    owed_ = std::move(reply);
    owed_to_ = from;
  }
  return {};
}

Result<> Raft::on_install(NodeId from, const Message& message_, Mono now) {
  Message reply = message(Message::Kind::append_reply);
  reply.round = message_.round;
  if (message_.term < term_) {
    port_.send(from, reply);
    return {};
  }
  if (message_.term == term_ && role_ == Role::leader) return {};
  if (message_.term > term_ || role_ != Role::follower || leader_ != from) TRYV(follow(message_.term, from, now));
  reply.term = term_;
  heard_ = now;
  await_election(now);
  const SnapshotPoint& point = message_.snapshot;
  if (lacks(point)) {
    port_.install(from, message_);
    return {};
  }
  commit_ = std::max(commit_, point.index);
  reply.yes = true;
  reply.index = point.index;
  port_.send(from, reply);
  return {};
}

// --- leading ---

Result<> Raft::on_append_reply(NodeId from, const Message& message_, Mono now) {
  if (message_.term > term_) return follow(message_.term, 0, now);
  const auto found = progress_.find(from);
  if (role_ != Role::leader || message_.term != term_ || found == progress_.end()) return {};
  Progress& progress = found->second;
  using State = Progress::State;
  progress.heard = now;
  progress.round_heard = std::max(progress.round_heard, message_.round);
  if (!message_.yes) {
    // `commit` is what the message was about: an answer to an older one says nothing new.
    if (progress.state == State::snapshot || message_.commit <= progress.match || message_.commit >= progress.next)
      return {};
    progress.next = std::max(progress.match + 1, std::min(message_.commit, message_.index + 1));
    progress.state = State::probe;
    progress.asked = false;
    progress.on_the_way.clear();
    progress.bytes_on_the_way = 0;
    return {};
  }
  const Index match = std::min(message_.index, last());
  progress.match = std::max(progress.match, match);
  progress.next = std::max(progress.next, progress.match + 1);
  while (!progress.on_the_way.empty() && progress.on_the_way.front().first <= progress.match) {
    progress.bytes_on_the_way -= progress.on_the_way.front().second;
    progress.on_the_way.pop_front();
  }
  if (progress.state == State::snapshot && progress.match >= progress.snapshot) {
    progress.state = State::probe;
    progress.next = progress.match + 1;
    progress.asked = false;
  } else if (progress.state == State::probe && match + 1 >= progress.next) {
    progress.state = State::stream;
    progress.asked = false;
  }
  advance_commit();
  return {};
}

template <class Value>
Value Raft::reached_by_majority(Value own, Value Progress::* of) const {
  std::vector<Value> reached;
  for (const Member& member : members().all) {
    if (member.membership != Membership::voter) continue;
    if (member.id == options_.self) {
      reached.push_back(own);
    } else {
      const auto found = progress_.find(member.id);
      reached.push_back(found == progress_.end() ? Value{} : found->second.*of);
    }
  }
  if (reached.empty()) return Value{};
  std::ranges::sort(reached, std::greater{});
  return reached[members().majority() - 1];
}

void Raft::advance_commit() {
  const Index reached = reached_by_majority(on_disk_, &Progress::match);
  if (reached > commit_ && reached >= first_of_term_) commit_ = reached;
}

std::uint64_t Raft::begin_round() {
  return ++round_;
}

std::uint64_t Raft::confirmed() const {
  return reached_by_majority(round_, &Progress::round_heard);
}

Index Raft::read_index() const {
  return std::max(commit_, first_of_term_);
}

Raft::Follower Raft::follower(NodeId id, Mono now) const {
  const auto found = progress_.find(id);
  if (found == progress_.end()) return {};
  return {.match = found->second.match, .reachable = now - found->second.heard < options_.election_timeout};
}

void Raft::met(NodeId member) {
  const auto found = progress_.find(member);
  if (found == progress_.end()) return;
  Progress& progress = found->second;
  progress.asked = false;
  progress.snapshot_sent = {};
  if (progress.state != Progress::State::stream) return;
  progress.state = Progress::State::probe;
  progress.next = progress.match + 1;
  progress.on_the_way.clear();
  progress.bytes_on_the_way = 0;
}

void Raft::flush(Mono now) {
  if (role_ != Role::leader) return;
  admit_confirmed();
  for (auto& [id, progress] : progress_)
    send_to(id, progress, now);
  if (transfer_ && !transfer_->told) {
    const auto found = progress_.find(transfer_->to);
    if (found != progress_.end() && found->second.match == last()) {
      Message lead_now = message(Message::Kind::lead_now);
      lead_now.index = last();
      port_.send(transfer_->to, lead_now);
      transfer_->told = true;
    }
  }
  // Not of the group any more, or without a vote, and everybody else knows: 4.2.2.
  if (!change_pending() && !members().votes(options_.self)) {
    lead_no_more();
    role_ = Role::follower;
    leader_ = 0;
  }
}

void Raft::send_to(NodeId to, Progress& progress, Mono now) {
  using State = Progress::State;
  const bool due = now - progress.sent >= options_.heartbeat_interval;
  // Who is not heard of is asked no more than that often whether he is there.
  const bool heard = now - progress.heard < options_.election_timeout;
  const bool asks = heard && progress.round_sent < round_;
  // What comes next, or the term of what is before it, went with a snapshot.
  const bool gone = progress.next < first_ || (progress.next > 1 && term_at(progress.next - 1) == 0);
  if (progress.state != State::snapshot && gone) {
    progress.state = State::snapshot;
    progress.snapshot_sent = {};
    progress.on_the_way.clear();
    progress.bytes_on_the_way = 0;
  }
  if (progress.state == State::snapshot) {
    if (heard && (progress.snapshot_sent == Mono{} ||
                  now - progress.snapshot_sent >= kTimeoutsOfAnInstallation * options_.election_timeout)) {
      Message install = message(Message::Kind::install);
      install.round = round_;
      install.snapshot = snapshot_;
      install.reference = port_.reference();
      progress.snapshot = snapshot_.index;
      progress.snapshot_sent = progress.sent = now;
      progress.round_sent = round_;
      port_.send(to, install);
    } else if (due || asks) {
      send_append(to, progress, 0, {}, now);
    }
    return;
  }
  if (progress.state == State::probe) {
    if (progress.asked && !due && !asks) return;
    progress.asked = true;
    if (!heard || !send_entries(to, progress, now)) send_append(to, progress, progress.next - 1, {}, now);
    return;
  }
  bool sent = false;
  while (progress.bytes_on_the_way < options_.most_bytes_on_the_way && send_entries(to, progress, now))
    sent = true;
  if (!sent && (due || asks || progress.commit_sent < commit_)) send_append(to, progress, progress.next - 1, {}, now);
}

bool Raft::send_entries(NodeId to, Progress& progress, Mono now) {
  std::vector<Entry> entries;
  std::size_t bytes = 0;
  for (Index index = progress.next; index <= last(); ++index) {
    const Entry& each = entry(index);
    if (!entries.empty() && bytes + each.bytes.size() > options_.message_bytes) break;
    bytes += each.bytes.size();
    entries.push_back(each);
  }
  if (entries.empty()) return false;
  const Index before = progress.next - 1;
  if (progress.state == Progress::State::stream) {
    progress.next += entries.size();
    progress.on_the_way.emplace_back(progress.next - 1, bytes);
    progress.bytes_on_the_way += bytes;
  }
  send_append(to, progress, before, std::move(entries), now);
  return true;
}

void Raft::send_append(NodeId to, Progress& progress, Index before, std::vector<Entry> entries, Mono now) {
  Message append = message(Message::Kind::append);
  append.index = before;
  append.index_term = term_at(before);
  append.commit = commit_;
  append.round = round_;
  append.entries = std::move(entries);
  progress.sent = now;
  progress.commit_sent = commit_;
  progress.round_sent = round_;
  port_.send(to, append);
}

Message Raft::message(Message::Kind kind) const {
  Message message;
  message.kind = kind;
  message.term = term_;
  return message;
}

// --- members ---

Result<Index> Raft::become(Members members, Mono now) {
  if (commit_ < first_of_term_) {
    return fail(Code::unavailable, "the leader has just been elected: try again in a moment");
  }
  if (change_pending()) {
    return fail(Code::unavailable, "another change of the group's members is going on: try again in a moment");
  }
  if (members.voters() == 0) {
    return fail(Code::invalid_argument, "a group needs a voter: promote or add another node first");
  }
  const auto encoded = std::make_shared<const std::string>(members.encode());
  push({.term = term_, .kind = EntryKind::members, .bytes = *encoded, .owner = encoded});
  for (const Member& member : members.all) {
    if (member.id != options_.self) progress_.try_emplace(member.id, Progress{.next = last(), .heard = now});
  }
  std::erase_if(progress_, [&](const auto& each) { return members.find(each.first) == nullptr; });
  history_.push_back({last(), std::move(members)});
  return last();
}

Result<Index> Raft::change(const Change& change, Mono now) {
  Members next = members();
  const auto found = std::ranges::find(next.all, change.node, &Member::id);
  const auto unknown = [&] { return fail(Code::not_found, fmt::format("node {} is not in the group", change.node)); };
  switch (change.kind) {
    case Change::Kind::add:
    case Change::Kind::add_observer: {
      if (found != next.all.end()) {
        return fail(Code::already_exists, fmt::format("node {} is in the group already, at {}, as {}", found->id,
                                                      found->address, to_string(found->membership)));
      }
      const auto same = std::ranges::find(next.all, change.address, &Member::address);
      if (same != next.all.end()) {
        return fail(Code::already_exists, fmt::format("{} is the address of node {}", change.address, same->id));
      }
      next.all.push_back({.id = change.node,
                          .address = change.address,
                          .membership = change.kind == Change::Kind::add ? Membership::joining : Membership::observer});
      break;
    }
    case Change::Kind::promote:
      if (found == next.all.end()) return unknown();
      if (found->membership != Membership::observer) {
        return fail(Code::already_exists, fmt::format("node {} is {} already", found->id,
                                                      found->membership == Membership::voter ? "a voter" : "joining"));
      }
      found->membership = Membership::joining;
      break;
    case Change::Kind::demote:
      if (found == next.all.end()) return unknown();
      if (found->membership == Membership::observer) {
        return fail(Code::already_exists, fmt::format("node {} is an observer already", found->id));
      }
      found->membership = Membership::observer;
      break;
    case Change::Kind::remove:
      if (found == next.all.end()) return unknown();
      next.all.erase(found);
      break;
    case Change::Kind::readdress:
      if (found == next.all.end()) return unknown();
      if (const auto same = std::ranges::find(next.all, change.address, &Member::address); same != next.all.end()) {
        return fail(Code::already_exists, fmt::format("{} is the address of node {}", change.address, same->id));
      }
      found->address = change.address;
      break;
    case Change::Kind::transfer:
    case Change::Kind::step_down:
      return fail(Code::internal, "leadership is no change of members");
  }
  return become(std::move(next), now);
}

void Raft::promote_who_caught_up(Mono now) {
  if (change_pending() || commit_ < first_of_term_ || transfer_) return;
  for (const Member& member : members().all) {
    if (member.membership != Membership::joining || member.id == options_.self) continue;
    const auto found = progress_.find(member.id);
    if (found == progress_.end() || found->second.state != Progress::State::stream) continue;
    const bool heard = now - found->second.heard < options_.election_timeout;
    if (!heard || found->second.match + kCaughtUp < last() || found->second.match < first_of_term_) continue;
    Members next = members();
    std::ranges::find(next.all, member.id, &Member::id)->membership = Membership::voter;
    if (become(std::move(next), now)) return;
  }
}

std::vector<NodeId> Raft::heirs(Mono now) const {
  std::vector<NodeId> found;
  for (const auto& [id, progress] : progress_) {
    if (now - progress.heard < options_.election_timeout && members().votes(id)) found.push_back(id);
  }
  std::ranges::sort(found, std::greater(), [this](NodeId id) { return progress_.at(id).match; });
  return found;
}

Result<> Raft::transfer(NodeId to, Mono now) {
  if (transfer_) return fail(Code::unavailable, "leadership is being handed over: try again in a moment");
  if (to == options_.self) return fail(Code::already_exists, fmt::format("node {} leads already", to));
  if (to == 0) {
    if (only_voter()) {
      return fail(
          Code::invalid_argument,
          fmt::format("node {} is the only voter, and no other can lead: add or promote one first", options_.self));
    }
    const std::vector<NodeId> all = heirs(now);
    if (all.empty()) return fail(Code::unavailable, "no other voter was heard of in the last moment");
    to = all.front();
  }
  if (members().find(to) == nullptr) return fail(Code::not_found, fmt::format("node {} is not in the group", to));
  if (!members().votes(to)) {
    return fail(Code::invalid_argument, fmt::format("node {} has no vote, and cannot lead: promote it first", to));
  }
  transfer_ = Transfer{.to = to, .until = now + options_.election_timeout};
  return {};
}

// A node came back with an empty folder: what it had promised and acknowledged is forgotten. It counts again when the
// group, without it, has agreed that it does not count; then as one that joins.
Result<> Raft::on_admission_request(NodeId from, const Message& message_, Mono now) {
  const Member* member = members().find(from);
  if (role_ != Role::leader || member == nullptr) return {};
  if (member->membership == Membership::voter) {
    Members next = members();
    std::ranges::find(next.all, from, &Member::id)->membership = Membership::joining;
    if (next.voters() == 0 || !become(std::move(next), now)) return {};
  }
  progress_[from] = {.next = last() + 1, .heard = now};
  if (change_pending()) return {};
  Admission& admission = admissions_[from];
  if (admission.life != message_.round) admission = {.life = message_.round, .round = begin_round()};
  return {};
}

// A leader that was deposed and does not know it has no say in who counts.
void Raft::admit_confirmed() {
  for (auto at = admissions_.begin(); at != admissions_.end();) {
    const auto& [node, asked] = *at;
    const Member* member = members().find(node);
    const bool may_come = member != nullptr && member->membership != Membership::voter;
    if (may_come && (change_pending() || confirmed() < asked.round)) {
      ++at;
      continue;
    }
    if (may_come) {
      Message admission = message(Message::Kind::admission);
      admission.round = asked.life;
      port_.send(node, admission);
    }
    at = admissions_.erase(at);
  }
}

Result<> Raft::receive(NodeId from, Message message_, Mono now) {
  switch (message_.kind) {
    case Message::Kind::vote_request:
      return on_vote_request(from, message_, now);
    case Message::Kind::vote_reply:
      return on_vote_reply(from, message_, now);
    case Message::Kind::append:
      return on_append(from, std::move(message_), now);
    case Message::Kind::append_reply:
      return on_append_reply(from, message_, now);
    case Message::Kind::install:
      return on_install(from, message_, now);
    case Message::Kind::lead_now:
      return on_lead_now(from, message_, now);
    case Message::Kind::admission_request:
      return on_admission_request(from, message_, now);
    case Message::Kind::admission:
      return {};  // of a folder that is not empty any more
  }
  return {};
}

}  // namespace cc::consensus
