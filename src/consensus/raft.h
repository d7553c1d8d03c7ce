// Raft: who leads, what is in the log, and what of it is committed. The algorithm alone: no disk, no network, no
// clock, no thread. What happens is told to it, and it tells its Port what to do; so a test can decide the order of
// everything.
//
// After Ongaro's dissertation: elections (3.4) with a vote before the vote (9.6) and a leader that is not disturbed
// (4.2.3), replication (3.5), commitment of entries of one's own term only (3.6.2, 5.4.2 of the paper), one change of
// members at a time (4.1) and only after an entry of the leader's term is committed, catching up before voting
// (4.2.1), leadership handed over (3.10), a leader that steps down when it hears of no majority (6.2), and reads that
// are linearizable by a round of messages (6.4).
//
// One rule makes it simple: as long as the disk lacks something of the log in memory, a node is told nothing that could
// cut the log (can_be_told). So whenever it is cut, or vouched for, the log in memory is the log on disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "consensus/entry.h"
#include "consensus/message.h"

namespace cc::consensus {

class Raft {
 public:
  struct Options {
    NodeId self = 1;
    std::chrono::milliseconds election_timeout{1000};
    std::chrono::milliseconds heartbeat_interval{100};
    std::uint64_t seed = 0;                        // of the randomness of elections
    std::size_t message_bytes = 1u << 20;          // of entries, in one message; one entry at least
    std::size_t most_bytes_on_the_way = 8u << 20;  // to one member
  };

  // What the disk has.
  struct Stored {
    Term term = 0;
    NodeId vote = 0;
    SnapshotPoint snapshot;
    Index first = 1;  // index of entries[0]; at most snapshot.index + 1
    std::deque<Entry> entries;
  };

  // What has to be done, at once. An error ends this Raft: it must be made anew from the disk.
  class Port {
   public:
    virtual ~Port() = default;
    virtual Result<> store(Term term, NodeId vote) = 0;  // is on disk when it returns
    virtual Result<> truncate(Index from) = 0;           // before anything that is appended later
    virtual void send(NodeId to, const Message& message) = 0;
    virtual std::string reference() const = 0;  // to the newest snapshot
    // A leader has a snapshot that this node needs: fetch it, keep it, and call installed().
    virtual void install(NodeId from, const Message& message) = 0;
  };

  Raft(Options options, Stored stored, Port& port);

  // --- what happens ---
  Result<> start(Mono now);  // first
  Result<> tick(Mono now);   // often: many times an election timeout
  // Whether it can be told now; else when the disk has all of the log. `writing`: something is on its way there.
  bool can_be_ticked(bool writing) const { return leads() || (!writing && is_on_disk()); }
  bool can_be_told(const Message& message, bool writing) const;
  Result<> receive(NodeId from, Message message, Mono now);
  void met(NodeId member);                                   // what was sent to it before may be lost
  void written(Index upto);                                  // what was appended is on disk up to here
  void compact(Index index, Term term, std::uint64_t keep);  // there is a snapshot; so many entries before it stay
  void installed(const SnapshotPoint& point);                // it replaces the whole log
  // An empty node that may have promised something once is taken in again, by the leader of a term.
  Result<> admitted(NodeId by, Term term);

  // Sends what there is to send. After each of the above, when no more comes for the moment.
  void flush(Mono now);

  // --- what is asked of a leader ---
  // The index of the first. requires: leads()
  Index append(std::span<const Entry> entries);
  bool takes_entries() const { return role_ == Role::leader && !transfer_; }
  // Where the entry is that makes the change. unavailable while another one is going on.
  Result<Index> change(const Change& change, Mono now);  // but of leadership
  // The voters that were heard of in the last moment, the one that has most of the log first.
  std::vector<NodeId> heirs(Mono now) const;
  // To the first of them when `to` is 0. The result is seen by who leads next.
  Result<> transfer(NodeId to, Mono now);
  bool transferring() const { return transfer_.has_value(); }
  // A read that begins now is linearizable once confirmed() reaches the number that is returned and everything up to
  // read_index() was applied.
  std::uint64_t begin_round();
  std::uint64_t confirmed() const;
  Index read_index() const;

  // --- how it is ---
  Role role() const { return role_; }
  bool leads() const { return role_ == Role::leader; }
  Term term() const { return term_; }
  NodeId vote() const { return vote_; }
  NodeId leader() const { return leader_; }
  bool heard_of_leader(Mono now) const;  // within the election timeout; true of a leader
  Index first() const { return first_; }
  Index last() const { return first_ + entries_.size() - 1; }
  Term last_term() const { return term_at(last()); }
  Index on_disk() const { return on_disk_; }
  bool is_on_disk() const { return on_disk_ == last(); }
  Index commit() const { return commit_; }
  // Committed, and on this node's disk.
  Index applicable() const { return std::min(commit_, on_disk_); }
  const Entry& entry(Index index) const { return entries_[index - first_]; }  // requires: first() <= index <= last()
  // 0 when it is not known any more.
  Term term_at(Index index) const;
  const SnapshotPoint& snapshot() const { return snapshot_; }
  bool lacks(const SnapshotPoint& point) const { return point.index > commit_ && term_at(point.index) != point.term; }
  const Members& members() const { return history_.back().members; }
  // Who was in the group as of an entry, and which entry said so.
  std::pair<const Members&, Index> members_at(Index index) const;
  bool change_pending() const { return history_.back().index > commit_; }
  bool only_voter() const { return members().votes(options_.self) && members().voters() == 1; }

  struct Follower {
    Index match = 0;
    bool reachable = false;
  };
  Follower follower(NodeId id, Mono now) const;  // as the leader knows it

 private:
  struct AsOf {
    Index index;
    Members members;
  };
  struct Progress {
    enum class State { probe, stream, snapshot };
    State state = State::probe;
    Index match = 0, next = 1;
    bool asked = false;                                    // probe: a message is on its way
    Index snapshot = 0;                                    // that is being sent
    std::deque<std::pair<Index, std::size_t>> on_the_way;  // last index, bytes
    std::size_t bytes_on_the_way = 0;
    Mono sent{}, snapshot_sent{}, heard{};
    Index commit_sent = 0;
    std::uint64_t round_sent = 0, round_heard = 0;
  };

  Result<> campaign(bool urgent, Mono now);
  Result<> elect(bool urgent, Mono now);
  Result<> lead(Mono now);
  void lead_no_more();
  Result<> follow(Term term, NodeId leader, Mono now);
  void await_election(Mono now);
  bool up_to_date(const Message& candidate) const;
  bool majority(const std::set<NodeId>& of) const;

  Result<> on_vote_request(NodeId from, const Message& message, Mono now);
  Result<> on_vote_reply(NodeId from, const Message& message, Mono now);
  Result<> on_append(NodeId from, Message message, Mono now);
  Result<> on_append_reply(NodeId from, const Message& message, Mono now);
  Result<> on_install(NodeId from, const Message& message, Mono now);
  Result<> on_lead_now(NodeId from, const Message& message, Mono now);
  Result<> on_admission_request(NodeId from, const Message& message, Mono now);

  void admit_confirmed();
  void push(Entry entry);
  Result<Index> become(Members members, Mono now);
  void promote_who_caught_up(Mono now);
  void advance_commit();
  template <class Value>
  Value reached_by_majority(Value own, Value Progress::* of) const;
  void send_to(NodeId to, Progress& progress, Mono now);
  bool send_entries(NodeId to, Progress& progress, Mono now);
  void send_append(NodeId to, Progress& progress, Index before, std::vector<Entry> entries, Mono now);
  Message message(Message::Kind kind) const;

  const Options options_;
  Port& port_;
  std::mt19937_64 random_;

  Term term_;
  NodeId vote_;
  SnapshotPoint snapshot_;
  Index first_;
  std::deque<Entry> entries_;
  std::vector<AsOf> history_;  // of members, oldest first; never empty
  Index on_disk_;
  Index commit_;

  Role role_ = Role::follower;
  NodeId leader_ = 0;
  Mono heard_{};     // from the leader
  Mono election_{};  // when to stand for it

  // of a candidate
  bool before_the_vote_ = false;
  std::set<NodeId> votes_;

  // of a follower
  std::optional<Message> owed_;  // the answer to what is being written
  NodeId owed_to_ = 0;

  // of a leader
  struct Transfer {
    NodeId to;
    Mono until;
    bool told = false;
  };
  std::map<NodeId, Progress> progress_;
  Index first_of_term_ = 0;
  Mono checked_{};  // when it last made sure that it has a majority
  std::uint64_t round_ = 0;
  std::optional<Transfer> transfer_;
  struct Admission {
    std::uint64_t life = 0;   // of the folder that it is for
    std::uint64_t round = 0;  // that must be confirmed before it is sent
  };
  std::map<NodeId, Admission> admissions_;
};

}  // namespace cc::consensus
