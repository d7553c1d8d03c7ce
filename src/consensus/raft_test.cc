// What one node of a group does, told step by step.
#include "consensus/raft.h"

#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::consensus {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;
using Kind = Message::Kind;

constexpr milliseconds kTimeout{100};

Entry command(Term term, std::string_view text = "command!") {
  const auto bytes = std::make_shared<const std::string>(text);
  return {.term = term, .kind = EntryKind::command, .bytes = *bytes, .owner = bytes};
}

Entry members_entry(Term term, const Members& members) {
  const auto bytes = std::make_shared<const std::string>(members.encode());
  return {.term = term, .kind = EntryKind::members, .bytes = *bytes, .owner = bytes};
}

Members group_of(NodeId count) {
  Members members;
  for (NodeId id = 1; id <= count; ++id)
    members.all.push_back({.id = id, .address = fmt::format("10.0.0.{}:7848", id)});
  return members;
}

// Node 1 of a group; the others are the test.
class RaftTest : public testing::Test, public Raft::Port {
 protected:
  struct Sent {
    NodeId to;
    Message message;
  };

  Result<> store(Term term, NodeId vote) override {
    stored = {term, vote};
    return {};
  }
  Result<> truncate(Index from) override {
    truncated.push_back(from);
    return {};
  }
  void send(NodeId to, const Message& message) override {
    if (message.kind == Kind::vote_reply && message.yes && !message.pre)
      EXPECT_EQ(stored, std::pair(message.term, to)) << "a vote was given that is not on disk";
    sent.push_back({to, message});
  }
  std::string reference() const override { return "a snapshot"; }
  void install(NodeId, const Message& message) override { installs.push_back(message); }

  // A node whose disk has these entries after the first one, which names the members.
  void begin(std::initializer_list<Term> terms = {}, NodeId count = 3, Term term = 1) {
    Raft::Stored disk{.term = term, .entries = {members_entry(1, group_of(count))}};
    for (const Term each : terms)
      disk.entries.push_back(command(each));
    raft.emplace(Raft::Options{.self = 1, .election_timeout = kTimeout, .heartbeat_interval = milliseconds(20)},
                 std::move(disk), *this);
    ASSERT_TRUE(raft->start(now));
  }
  void pass(milliseconds time) {
    for (; time.count() > 0; time -= milliseconds(5)) {
      now += milliseconds(5);
      ASSERT_TRUE(raft->tick(now));
      raft->flush(now);
    }
  }
  void hear(NodeId from, Message message) {
    ASSERT_TRUE(raft->receive(from, std::move(message), now));
    raft->flush(now);
  }
  void write() {
    raft->written(raft->last());
    raft->flush(now);
  }
  // What was sent since the last call.
  std::vector<Sent> said() { return std::exchange(sent, {}); }
  std::optional<Message> said_to(NodeId to, Kind kind) {
    std::optional<Message> found;
    for (Sent& each : said())
      if (each.to == to && each.message.kind == kind) found = each.message;
    return found;
  }

  static Message of(Kind kind, Term term) {
    Message message;
    message.kind = kind;
    message.term = term;
    return message;
  }
  Message append(Term term, Index after, Term after_term, std::vector<Entry> entries, Index commit = 0) {
    Message message = of(Kind::append, term);
    message.index = after;
    message.index_term = after_term;
    message.entries = std::move(entries);
    message.commit = commit;
    return message;
  }
  Message vote_request(Term term, Index last, Term last_term) {
    Message message = of(Kind::vote_request, term);
    message.index = last;
    message.index_term = last_term;
    return message;
  }
  Message acknowledgement(Index match, std::uint64_t round = 0) {
    Message message = of(Kind::append_reply, raft->term());
    message.yes = true;
    message.index = match;
    message.round = round;
    return message;
  }
  // Both votes: the one before, and the one that counts.
  void win() {
    pass(2 * kTimeout + milliseconds(5));
    ASSERT_EQ(raft->role(), Role::candidate);
    Message yes = of(Kind::vote_reply, raft->term() + 1);
    yes.yes = yes.pre = true;
    hear(2, yes);
    yes.pre = false;
    hear(2, yes);
    ASSERT_TRUE(raft->leads());
    said();
  }
  // It leads, and everything it has is committed.
  void lead() {
    win();
    write();
    hear(2, acknowledgement(raft->last()));
    hear(3, acknowledgement(raft->last()));
    ASSERT_EQ(raft->commit(), raft->last());
    said();
  }

  Mono now{std::chrono::hours(1)};
  std::pair<Term, NodeId> stored{};
  std::vector<Index> truncated;
  std::vector<Message> installs;
  std::vector<Sent> sent;
  std::optional<Raft> raft;
};

// --- elections ---

TEST_F(RaftTest, AloneItLeadsAtOnceInANewTermAndEverythingIsCommitted) {
  begin({1, 1}, 1);
  EXPECT_TRUE(raft->leads());
  EXPECT_EQ(raft->term(), 2u);
  EXPECT_EQ(raft->commit(), 3u);
}

TEST_F(RaftTest, BeforeItStandsForElectionItAsksAndChangesNothing) {
  begin();
  pass(2 * kTimeout + milliseconds(5));
  const auto request = said_to(2, Kind::vote_request);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->pre);
  EXPECT_EQ(request->term, 2u);
  EXPECT_EQ(raft->term(), 1u);
  EXPECT_EQ(stored.first, 0u) << "nothing was written";
}

TEST_F(RaftTest, VotesOnceInATerm) {
  begin();
  hear(2, vote_request(5, 1, 1));
  EXPECT_TRUE(said_to(2, Kind::vote_reply)->yes);
  hear(3, vote_request(5, 9, 4));
  EXPECT_FALSE(said_to(3, Kind::vote_reply)->yes);
  hear(2, vote_request(5, 1, 1));
  EXPECT_TRUE(said_to(2, Kind::vote_reply)->yes) << "the same answer again";
  EXPECT_EQ(stored, std::pair(Term{5}, NodeId{2}));
}

TEST_F(RaftTest, DoesNotVoteForALogThatEndsEarlier) {
  begin({1, 3});
  hear(2, vote_request(5, 9, 2));
  EXPECT_FALSE(said_to(2, Kind::vote_reply)->yes) << "longer, but of an earlier term";
  hear(2, vote_request(6, 2, 3));
  EXPECT_FALSE(said_to(2, Kind::vote_reply)->yes) << "shorter";
  hear(2, vote_request(7, 3, 3));
  EXPECT_TRUE(said_to(2, Kind::vote_reply)->yes);
}

TEST_F(RaftTest, WhoHearsOfALeaderIsNotDisturbedByACandidateOfAHigherTerm) {
  begin();
  hear(2, append(1, 1, 1, {}));
  said();
  hear(3, vote_request(9, 9, 9));
  EXPECT_FALSE(said_to(3, Kind::vote_reply)->yes);
  EXPECT_EQ(raft->term(), 1u);
  Message urgent = vote_request(9, 9, 9);
  urgent.urgent = true;
  hear(3, urgent);
  EXPECT_TRUE(said_to(3, Kind::vote_reply)->yes) << "its leader wants it so";
}

TEST_F(RaftTest, ALeaderThatHearsOfNoMajorityStepsDown) {
  begin();
  lead();
  pass(kTimeout - milliseconds(10));
  hear(2, acknowledgement(raft->last()));
  pass(kTimeout - milliseconds(10));
  EXPECT_TRUE(raft->leads()) << "one other is enough";
  pass(2 * kTimeout);
  EXPECT_FALSE(raft->leads());
  EXPECT_EQ(raft->leader(), 0u);
}

// --- replication ---

TEST_F(RaftTest, AcknowledgesWhatIsOnDiskAndNothingElse) {
  begin();
  hear(2, append(1, 1, 1, {command(1)}));
  EXPECT_THAT(said(), IsEmpty());
  write();
  const auto reply = said_to(2, Kind::append_reply);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->yes);
  EXPECT_EQ(reply->index, 2u);
}

TEST_F(RaftTest, IsApplicableWhatIsCommittedAndOnDisk) {
  begin();
  hear(2, append(1, 1, 1, {command(1), command(1)}, 3));
  EXPECT_EQ(raft->commit(), 3u);
  EXPECT_EQ(raft->applicable(), 1u);
  write();
  EXPECT_EQ(raft->applicable(), 3u);
}

TEST_F(RaftTest, ALogThatIsNotTheLeadersIsCut) {
  begin({1, 2, 2}, 3, 2);
  hear(2, append(3, 4, 3, {command(3)}));
  const auto refusal = said_to(2, Kind::append_reply);
  ASSERT_TRUE(refusal);
  EXPECT_FALSE(refusal->yes);
  EXPECT_EQ(refusal->index, 2u) << "a whole term is left out at once";
  hear(2, append(3, 2, 1, {command(3)}));
  EXPECT_THAT(truncated, testing::ElementsAre(3u));
  EXPECT_EQ(raft->last(), 3u);
  EXPECT_EQ(raft->term_at(3), 3u);
}

TEST_F(RaftTest, WithTheLogAChangeOfMembersIsCutToo) {
  begin();
  Members more = group_of(3);
  more.all.push_back({.id = 4, .address = "10.0.0.4:7848"});
  hear(2, append(1, 1, 1, {members_entry(1, more)}));
  write();
  EXPECT_EQ(raft->members().all.size(), 4u) << "it counts as soon as it is in the log";
  hear(3, append(2, 1, 1, {command(2)}));
  EXPECT_EQ(raft->members(), group_of(3));
}

TEST_F(RaftTest, WhatIsCommittedIsNeverCut) {
  begin();
  hear(2, append(1, 1, 1, {command(1)}, 2));
  write();
  const auto taken = raft->receive(3, append(2, 1, 1, {command(2)}), now);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::corruption);
}

// Figure 8 of the paper: an entry of an earlier term on a majority may still be replaced.
TEST_F(RaftTest, AnEntryOfAnEarlierTermIsNotCommittedByCounting) {
  begin({2}, 3, 2);
  win();
  hear(2, acknowledgement(2));
  EXPECT_LT(raft->commit(), 2u);
  write();
  hear(2, acknowledgement(3));
  EXPECT_EQ(raft->commit(), 3u) << "with one of its own term";
}

TEST_F(RaftTest, ItsOwnLogCountsAsFarAsItIsOnDisk) {
  begin();
  lead();
  raft->append(std::vector{command(0)});
  raft->flush(now);
  hear(2, acknowledgement(raft->last()));
  EXPECT_LT(raft->commit(), raft->last());
  hear(3, acknowledgement(raft->last()));
  EXPECT_EQ(raft->commit(), raft->last()) << "the two others are a majority without it";
  EXPECT_LT(raft->applicable(), raft->last());
}

TEST_F(RaftTest, WhatWasLostOnTheWayIsSentAgain) {
  begin();
  lead();
  raft->append(std::vector{command(0)});
  raft->flush(now);
  write();
  EXPECT_EQ(said_to(2, Kind::append)->entries.size(), 1u);
  pass(milliseconds(25));
  const auto heartbeat = said_to(2, Kind::append);
  ASSERT_TRUE(heartbeat);
  EXPECT_THAT(heartbeat->entries, IsEmpty());
  Message refusal = of(Kind::append_reply, raft->term());
  refusal.index = raft->last() - 1;
  refusal.commit = heartbeat->index;
  hear(2, refusal);
  EXPECT_EQ(said_to(2, Kind::append)->entries.size(), 1u);
}

TEST_F(RaftTest, WhoNeedsWhatIsGoneIsOfferedTheSnapshot) {
  begin({1, 1, 1});
  lead();
  raft->compact(4, 1, 0);
  Message refusal = of(Kind::append_reply, raft->term());
  raft->met(3);
  pass(milliseconds(25));
  refusal.commit = said_to(3, Kind::append)->index;
  refusal.index = 1;
  // It had acknowledged everything; this one has an empty disk, and says so.
  Message empty = of(Kind::admission_request, raft->term());
  hear(3, empty);
  write();
  hear(2, acknowledgement(raft->last()));
  hear(3, empty);
  pass(milliseconds(25));
  refusal.commit = raft->last();
  refusal.index = 0;
  hear(3, refusal);
  const auto install = said_to(3, Kind::install);
  ASSERT_TRUE(install);
  EXPECT_EQ(install->snapshot.index, 4u);
  EXPECT_EQ(install->reference, "a snapshot");
}

// --- reads ---

TEST_F(RaftTest, AReadIsConfirmedByAMajorityThatWasAskedAfterIt) {
  begin();
  lead();
  const std::uint64_t round = raft->begin_round();
  hear(2, acknowledgement(raft->last(), round - 1));
  EXPECT_LT(raft->confirmed(), round);
  EXPECT_EQ(said_to(2, Kind::append)->round, round) << "it does not wait for a heartbeat";
  hear(2, acknowledgement(raft->last(), round));
  EXPECT_EQ(raft->confirmed(), round);
}

TEST_F(RaftTest, ANewLeaderReadsAfterAnEntryOfItsOwnTerm) {
  begin({1, 1});
  win();
  EXPECT_EQ(raft->read_index(), 4u);
}

// --- members ---

TEST_F(RaftTest, OneChangeOfMembersAtATime) {
  begin();
  win();
  write();
  EXPECT_EQ(raft->change({.node = 4, .address = "10.0.0.4:7848"}, now).error().code, Code::unavailable)
      << "nothing of its term is committed";
  hear(2, acknowledgement(raft->last()));
  ASSERT_TRUE(raft->change({.node = 4, .address = "10.0.0.4:7848"}, now));
  EXPECT_EQ(raft->change({.node = 5, .address = "10.0.0.5:7848"}, now).error().code, Code::unavailable);
  write();
  hear(2, acknowledgement(raft->last()));
  EXPECT_TRUE(raft->change({.node = 5, .address = "10.0.0.5:7848"}, now));
}

TEST_F(RaftTest, RefusesChangesThatMakeNoSense) {
  begin();
  lead();
  using enum Change::Kind;
  EXPECT_EQ(raft->change({.kind = add, .node = 2, .address = "x:1"}, now).error().code, Code::already_exists);
  EXPECT_EQ(raft->change({.kind = add, .node = 4, .address = "10.0.0.2:7848"}, now).error().code, Code::already_exists);
  EXPECT_EQ(raft->change({.kind = remove, .node = 4}, now).error().code, Code::not_found);
  EXPECT_EQ(raft->change({.kind = promote, .node = 2}, now).error().code, Code::already_exists);
  EXPECT_EQ(raft->transfer(1, now).error().code, Code::already_exists);
  EXPECT_EQ(raft->transfer(4, now).error().code, Code::not_found);
}

TEST_F(RaftTest, AJoiningMemberVotesWhenItHasCaughtUp) {
  begin();
  lead();
  ASSERT_TRUE(raft->change({.node = 4, .address = "10.0.0.4:7848"}, now));
  write();
  hear(2, acknowledgement(raft->last()));
  hear(3, acknowledgement(raft->last()));
  EXPECT_EQ(raft->members().find(4)->membership, Membership::joining);
  pass(milliseconds(10));
  EXPECT_EQ(raft->members().voters(), 3u);
  hear(4, acknowledgement(raft->last()));
  hear(2, acknowledgement(raft->last()));
  pass(milliseconds(10));
  EXPECT_EQ(raft->members().voters(), 4u);
}

TEST_F(RaftTest, AnObserverStaysOneAndItsWordDoesNotCount) {
  begin();
  lead();
  ASSERT_TRUE(raft->change({.kind = Change::Kind::add_observer, .node = 4, .address = "10.0.0.4:7848"}, now));
  const Index change = raft->last();
  write();
  hear(4, acknowledgement(change));
  EXPECT_LT(raft->commit(), change);
  hear(3, acknowledgement(change));
  EXPECT_EQ(raft->commit(), change);
  pass(milliseconds(10));
  EXPECT_EQ(raft->members().find(4)->membership, Membership::observer);
}

TEST_F(RaftTest, ALeaderThatIsRemovedLeadsUntilThatIsCommitted) {
  begin();
  lead();
  ASSERT_TRUE(raft->change({.kind = Change::Kind::remove, .node = 1}, now));
  write();
  EXPECT_TRUE(raft->leads());
  hear(2, acknowledgement(raft->last()));
  EXPECT_TRUE(raft->leads()) << "it does not count itself";
  hear(3, acknowledgement(raft->last()));
  EXPECT_FALSE(raft->leads());
  EXPECT_EQ(said_to(3, Kind::append)->commit, raft->last()) << "the others know";
}

TEST_F(RaftTest, ANodeThatLostItsFolderDoesNotCountBeforeTheGroupHasAgreedOnItAndOnWhoLeads) {
  begin();
  lead();
  Message request = of(Kind::admission_request, 0);
  request.round = 77;
  hear(3, request);
  EXPECT_EQ(raft->members().find(3)->membership, Membership::joining);
  EXPECT_FALSE(said_to(3, Kind::admission));
  write();
  hear(2, acknowledgement(raft->last()));
  hear(3, request);
  std::uint64_t round = 0;
  for (const Sent& each : said()) {
    EXPECT_NE(each.message.kind, Kind::admission) << "another may lead meanwhile, for all that this one knows";
    if (each.to == 2 && each.message.kind == Kind::append) round = each.message.round;
  }
  hear(2, acknowledgement(raft->last(), round));
  const auto admission = said_to(3, Kind::admission);
  ASSERT_TRUE(admission);
  EXPECT_EQ(admission->round, 77u);
  EXPECT_EQ(raft->follower(3, now).match, 0u) << "what it had acknowledged is forgotten";
}

// --- leadership handed over ---

TEST_F(RaftTest, HeirsWereHeardOfAndTheFirstOfThemHasMost) {
  begin();
  lead();
  raft->append(std::vector{command(0)});
  write();
  hear(3, acknowledgement(raft->last()));
  EXPECT_EQ(raft->heirs(now).front(), 3u);
  now += kTimeout;
  EXPECT_TRUE(raft->heirs(now).empty());
}

TEST_F(RaftTest, LeadershipGoesToWhoHasEverythingAndNothingIsTakenMeanwhile) {
  begin();
  lead();
  raft->append(std::vector{command(0)});
  write();
  ASSERT_TRUE(raft->transfer(2, now));
  EXPECT_FALSE(raft->takes_entries());
  raft->flush(now);
  EXPECT_FALSE(said_to(2, Kind::lead_now)) << "it lacks an entry";
  hear(2, acknowledgement(raft->last()));
  EXPECT_TRUE(said_to(2, Kind::lead_now));
  hear(3, acknowledgement(raft->last()));
  pass(kTimeout / 2);
  hear(3, acknowledgement(raft->last()));
  pass(kTimeout / 2);
  EXPECT_TRUE(raft->takes_entries()) << "it did not take over: all goes on as before";
}

TEST_F(RaftTest, WhoIsToldToLeadStandsForElectionAtOnce) {
  begin();
  hear(2, append(1, 1, 1, {}));
  said();
  Message lead_now = of(Kind::lead_now, 1);
  lead_now.index = 1;
  hear(2, lead_now);
  const auto request = said_to(3, Kind::vote_request);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->urgent);
  EXPECT_FALSE(request->pre);
  EXPECT_EQ(stored, std::pair(Term{2}, NodeId{1}));
}

}  // namespace
}  // namespace cc::consensus
