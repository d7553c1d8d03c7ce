// Logs of several nodes in this process, over TCP on this machine. What an election decides is not theirs to say: a
// loaded machine may elect somebody else at any time, and everything holds all the same.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "consensus/log_fixture.h"

namespace cc::consensus {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

// Free a moment ago, and not given out before: the system may give the same one again.
std::uint16_t free_port() {
  static std::set<std::uint16_t> given;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(fd);
  const std::uint16_t port = ntohs(address.sin_port);
  return given.insert(port).second ? port : free_port();
}

class SeveralNodes : public LogFixture {
 protected:
  struct Node {
    Options options;
    std::unique_ptr<ListMachine> machine;
    std::unique_ptr<Log> log;
  };

  // Prepares nodes that are to form a group.
  void found(NodeId count) {
    std::vector<Peer> peers;
    for (NodeId id = 1; id <= count; ++id)
      peers.push_back({.id = id, .address = fmt::format("127.0.0.1:{}", free_port())});
    for (const Peer& peer : peers)
      prepare(peer).peers = peers;
  }
  Options& prepare(const Peer& peer) {
    Options& options = nodes[peer.id].options;
    options.directory = folder.path() / std::to_string(peer.id);
    options.node_id = peer.id;
    options.address = peer.address;
    options.secret = "the secret of this group, which is long enough";
    options.election_timeout = milliseconds(300);
    options.heartbeat_interval = milliseconds(50);
    options.min_free_disk = 0;
    options.reopen_delay = milliseconds(10);
    return options;
  }
  void start(NodeId id) {
    Node& node = nodes[id];
    node.machine = std::make_unique<ListMachine>(folder.path() / fmt::format("{}.state", id));
    node.log = opened(node.options, *node.machine);
    ASSERT_TRUE(node.log);
  }
  void start_all() {
    for (auto& [id, node] : nodes)
      if (!node.log) start(id);
  }
  void stop(NodeId id) { nodes[id].log.reset(); }
  void wipe(NodeId id) {
    std::filesystem::remove_all(nodes[id].options.directory);
    std::filesystem::remove(folder.path() / fmt::format("{}.state", id));
  }

  Log& log(NodeId id) { return *nodes[id].log; }
  NodeId leader() {
    for (auto& [id, node] : nodes)
      if (node.log && node.log->status().role == Role::leader) return id;
    return 0;
  }
  NodeId wait_for_leader() {
    NodeId found = 0;
    EXPECT_TRUE(eventually([&] { return (found = leader()) != 0; }));
    return found;
  }
  NodeId a_follower() {
    const NodeId leads = wait_for_leader();
    for (auto& [id, node] : nodes)
      if (node.log && id != leads) return id;
    return 0;
  }

  Result<> barrier(NodeId id, milliseconds patience = kPatience) {
    std::promise<Result<>> done;
    log(id).read_barrier(patience, [&](Result<> how) { done.set_value(std::move(how)); });
    return done.get_future().get();
  }
  Result<> change(NodeId id, Change what, milliseconds patience = kPatience) {
    std::promise<Result<>> done;
    log(id).change(std::move(what), patience, [&](Result<> how) { done.set_value(std::move(how)); });
    return done.get_future().get();
  }
  Membership membership(NodeId seen_by, NodeId of) {
    for (const auto& server : log(seen_by).status().servers)
      if (server.id == of) return server.membership;
    return Membership::observer;
  }

  // Each command as often as it was applied: more than once when it was proposed again.
  std::map<std::string, int> commands(NodeId id) {
    std::map<std::string, int> all;
    for (const auto& [index, command] : nodes[id].machine->commands())
      ++all[command];
    return all;
  }
  // All that run have applied the same.
  void expect_agreement() {
    const NodeId leads = wait_for_leader();
    ASSERT_TRUE(ask(log(leads), "the end " + std::to_string(++ends)).get());
    for (auto& [id, node] : nodes) {
      if (!node.log) continue;
      const auto reached = barrier(id);
      ASSERT_TRUE(reached) << "node " << id << ": " << reached.error().message;
      ASSERT_TRUE(node.log->settle());
    }
    for (auto& [id, node] : nodes) {
      if (!node.log) continue;
      EXPECT_EQ(node.machine->commands(), nodes[leads].machine->commands()) << "node " << id;
    }
  }

  std::map<NodeId, Node> nodes;
  int ends = 0;
};

TEST_F(SeveralNodes, FormAGroupByThemselves) {
  found(3);
  start(2);
  EXPECT_EQ(log(2).status().role, Role::follower);
  EXPECT_TRUE(log(2).stale());
  EXPECT_EQ(log(2).status().last, 0u) << "it cannot know whether the group exists already";
  EXPECT_THAT(log(2).status().waits_for, AllOf(HasSubstr("node 1 at"), HasSubstr("node 3 at")));
  start(3);
  EXPECT_TRUE(eventually([&] { return !log(2).status().waits_for.contains("node 3 at"); }));
  EXPECT_THAT(log(2).status().waits_for, HasSubstr("node 1 at"));
  start(1);
  wait_for_leader();
  expect_agreement();
  for (NodeId id = 1; id <= 3; ++id) {
    EXPECT_EQ(log(id).status().servers.size(), 3u);
    EXPECT_FALSE(log(id).stale());
    EXPECT_EQ(log(id).status().waits_for, "");
  }
}

TEST_F(SeveralNodes, EachTakesACommandAndAnswersWhenItHasItItself) {
  found(3);
  start_all();
  for (int i = 0; i < 30; ++i) {
    const NodeId id = static_cast<NodeId>(i % 3 + 1);
    const std::string command = "command " + std::to_string(i);
    const auto answer = ask(log(id), command).get();
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, "did " + command);
    ASSERT_TRUE(log(id).settle());
    EXPECT_TRUE(commands(id).contains(command));
  }
  expect_agreement();
}

TEST_F(SeveralNodes, CommandsSurviveTheLeader) {
  found(3);
  start_all();
  const NodeId first = wait_for_leader();
  const NodeId other = a_follower();
  std::vector<Reply> answers;
  for (int i = 0; i < 300; ++i)
    answers.push_back(ask(log(other), "command " + std::to_string(i)));
  stop(first);
  for (int i = 300; i < 400; ++i)
    answers.push_back(ask(log(other), "command " + std::to_string(i)));
  for (auto& answer : answers) {
    const auto result = answer.get();
    EXPECT_TRUE(result) << result.error().message;
  }
  start(first);
  expect_agreement();
  for (int i = 0; i < 400; ++i)
    EXPECT_GE(commands(first)["command " + std::to_string(i)], 1) << i;
}

TEST_F(SeveralNodes, ABarrierOnAnyNodeComesAfterWhatWasAcknowledgedOnAnother) {
  found(3);
  start_all();
  for (int i = 0; i < 50; ++i) {
    const NodeId writes = static_cast<NodeId>(i % 3 + 1);
    const NodeId reads = static_cast<NodeId>((i + 1) % 3 + 1);
    const std::string command = "command " + std::to_string(i);
    ASSERT_TRUE(ask(log(writes), command).get());
    ASSERT_TRUE(barrier(reads));
    ASSERT_TRUE(log(reads).settle());
    EXPECT_TRUE(commands(reads).contains(command));
  }
}

TEST_F(SeveralNodes, WithoutAMajorityNothingIsTakenAndReadsAreStale) {
  found(3);
  start_all();
  const NodeId last = wait_for_leader();
  propose_many(log(last), 0, 10);
  for (auto& [id, node] : nodes)
    if (id != last) stop(id);
  EXPECT_TRUE(eventually([&] { return log(last).stale(); }));
  EXPECT_EQ(barrier(last, milliseconds(100)).error().code, Code::unavailable);
  std::promise<Result<std::string>> answered;
  log(last).propose("lost", milliseconds(100), [&](auto answer) { answered.set_value(std::move(answer)); });
  EXPECT_EQ(answered.get_future().get().error().code, Code::unavailable);
  EXPECT_EQ(nodes[last].machine->commands().size(), 10u) << "what it has it still serves";
  start_all();
  expect_agreement();
}

TEST_F(SeveralNodes, OneThatWasAwayTakesTheLog) {
  found(3);
  start_all();
  const NodeId away = a_follower();
  propose_many(log(away), 0, 10);
  stop(away);
  propose_many(log(wait_for_leader()), 10, 500);
  start(away);
  expect_agreement();
  EXPECT_EQ(nodes[away].machine->restores, 0);
}

TEST_F(SeveralNodes, OneThatWasAwayTooLongTakesASnapshot) {
  found(3);
  for (auto& [id, node] : nodes) {
    node.options.snapshot_after_entries = 100;
    node.options.trailing_entries = 10;
  }
  start_all();
  const NodeId away = a_follower();
  propose_many(log(away), 0, 10);
  stop(away);
  for (int i = 0; i < 10; ++i)
    propose_many(log(wait_for_leader()), 10 + 100 * i, 100);
  start(away);
  expect_agreement();
  EXPECT_GE(nodes[away].machine->restores, 1);
  stop(away);
  start(away);
  expect_agreement();
}

TEST_F(SeveralNodes, OneThatLostItsFolderIsTakenInAgain) {
  found(3);
  for (auto& [id, node] : nodes)
    node.options.snapshot_after_entries = 100;
  start_all();
  propose_many(log(wait_for_leader()), 0, 500);
  const NodeId lost = a_follower();
  stop(lost);
  wipe(lost);
  start(lost);
  EXPECT_TRUE(eventually([&] { return membership(lost, lost) == Membership::voter && !log(lost).stale(); }));
  expect_agreement();
}

// It never had a first file of its own.
TEST_F(SeveralNodes, OneThatWasTakenInAgainMayDieAtOnce) {
  found(3);
  start_all();
  propose_many(log(wait_for_leader()), 0, 10);
  const NodeId lost = a_follower();
  stop(lost);
  wipe(lost);
  start(lost);
  // Then nothing more is written: an image must not lack what was acknowledged.
  EXPECT_TRUE(eventually([&] { return membership(lost, lost) == Membership::voter; }));
  expect_agreement();
  nodes[lost].options.directory = [&] {  // what a machine that died now would find
    const Path image = folder.path() / "image";
    std::filesystem::copy(nodes[lost].options.directory, image, std::filesystem::copy_options::recursive);
    return image;
  }();
  stop(lost);
  std::filesystem::remove(folder.path() / fmt::format("{}.state", lost));
  start(lost);
  expect_agreement();
}

// Not even the only other one left may believe it: what it had acknowledged may be on no other node.
TEST_F(SeveralNodes, OneThatLostItsFolderHasNoVote) {
  found(3);
  start_all();
  propose_many(log(wait_for_leader()), 0, 50);
  const NodeId leads = wait_for_leader();
  const NodeId lost = a_follower();
  stop(lost);
  wipe(lost);
  stop(leads);
  start(lost);
  std::this_thread::sleep_for(milliseconds(1500));  // several elections; can only make the test pass wrongly
  EXPECT_EQ(leader(), 0u);
  EXPECT_EQ(log(lost).status().last, 0u);
  start(leads);
  EXPECT_TRUE(eventually([&] { return membership(lost, lost) == Membership::voter; }));
  expect_agreement();
}

TEST_F(SeveralNodes, AGroupGrowsAndShrinks) {
  found(1);
  start(1);
  propose_many(log(1), 0, 100);
  for (const NodeId id : {2, 3}) {
    const std::string address = fmt::format("127.0.0.1:{}", free_port());
    prepare({.id = id, .address = address}).join = true;
    start(id);
    ASSERT_TRUE(change(1, {.kind = Change::Kind::add, .node = id, .address = address}));
    EXPECT_TRUE(eventually([&] { return membership(1, id) == Membership::voter; }));
  }
  expect_agreement();
  EXPECT_EQ(change(2, {.kind = Change::Kind::add, .node = 3, .address = "127.0.0.1:1"}).error().code,
            Code::already_exists)
      << "asked of any node";

  ASSERT_TRUE(change(3, {.kind = Change::Kind::demote, .node = 2}));
  EXPECT_EQ(membership(wait_for_leader(), 2), Membership::observer);
  propose_many(log(2), 100, 10);
  ASSERT_TRUE(change(1, {.kind = Change::Kind::promote, .node = 2}));
  EXPECT_TRUE(eventually([&] { return membership(1, 2) == Membership::voter; }));

  ASSERT_TRUE(change(2, {.kind = Change::Kind::remove, .node = 3}));
  stop(3);
  expect_agreement();
  EXPECT_EQ(log(1).status().servers.size(), 2u);
}

// All that it is told by is a snapshot of the time before, in which there was no such node.
TEST_F(SeveralNodes, OneThatLostItsFolderFetchesTheSnapshotOfALeaderThatJoinedAfterIt) {
  found(3);
  for (auto& [id, node] : nodes)
    node.options.trailing_entries = 1;
  start_all();
  propose_many(log(wait_for_leader()), 0, 100);
  const std::string address = fmt::format("127.0.0.1:{}", free_port());
  Options& fourth = prepare({.id = 4, .address = address});
  fourth.join = true;
  fourth.trailing_entries = 1;
  for (const NodeId id : {1, 2, 3}) {
    EXPECT_TRUE(eventually([&] {  // it may have nothing yet, or be at something else
      log(id).snapshot_now();
      return log(id).status().snapshot > 0;
    }));
  }
  start(4);
  ASSERT_TRUE(change(1, {.kind = Change::Kind::add, .node = 4, .address = address}));
  EXPECT_TRUE(eventually([&] { return membership(1, 4) == Membership::voter; }));
  ASSERT_TRUE(change(1, {.kind = Change::Kind::transfer, .node = 4}));
  EXPECT_TRUE(eventually([&] { return leader() == 4; }));
  stop(1);
  wipe(1);
  start(1);
  EXPECT_TRUE(eventually([&] { return membership(1, 1) == Membership::voter && !log(1).stale(); }));
  expect_agreement();
  EXPECT_GE(nodes[1].machine->restores, 1);
}

TEST_F(SeveralNodes, TheLeaderIsRemovedByAskingAnother) {
  found(3);
  start_all();
  wait_for_leader();
  expect_agreement();
  const NodeId gone = leader();
  const NodeId other = gone % 3 + 1;
  const auto done = change(other, {.kind = Change::Kind::remove, .node = gone});
  // The others let the connection go on which the answer comes: then it is not known here that this is done.
  if (!done) EXPECT_EQ(done.error().code, Code::timeout) << done.error().message;
  EXPECT_TRUE(eventually([&] { return log(other).status().servers.size() == 2; }));
  stop(gone);
  expect_agreement();
}

// So patient that no election comes in between.
class HandingOver : public SeveralNodes {
 protected:
  HandingOver() {
    found(3);
    for (auto& [id, node] : nodes)
      node.options.election_timeout = milliseconds(1500);
    start_all();
    wait_for_leader();
    expect_agreement();
  }
  // Asks one node to have `to` lead (0: any other), and expects that it happens once and is seen there at once.
  void hand_over(NodeId ask, NodeId to) {
    const Status before = log(ask).status();
    const auto done = change(ask, {.kind = Change::Kind::transfer, .node = to});
    const Status after = log(ask).status();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(after.term, before.term + 1);
    EXPECT_NE(after.leader_id, 0u);
    EXPECT_NE(after.leader_id, before.leader_id);
    if (to != 0) EXPECT_EQ(after.leader_id, to);
    expect_agreement();
    EXPECT_EQ(log(ask).status().term, before.term + 1);
  }
  NodeId bystander(NodeId one, NodeId other) { return 6 - one - other; }
};

TEST_F(HandingOver, AskedOfTheLeader) {
  hand_over(leader(), a_follower());
  hand_over(leader(), 0);
}

TEST_F(HandingOver, AskedOfTheOneThatShallLead) {
  const NodeId to = a_follower();
  hand_over(to, to);
}

TEST_F(HandingOver, AskedOfABystander) {
  const NodeId to = a_follower();
  hand_over(bystander(leader(), to), to);
  hand_over(a_follower(), 0);
}

TEST_F(HandingOver, ToTheOneThatLeadsIsDone) {
  const Status before = log(1).status();
  ASSERT_TRUE(change(a_follower(), {.kind = Change::Kind::transfer, .node = leader()}));
  EXPECT_EQ(log(1).status().term, before.term);
}

TEST_F(SeveralNodes, TheOnlyVoterHandsNothingOver) {
  prepare({.id = 1, .address = fmt::format("127.0.0.1:{}", free_port())});
  start(1);
  const auto refused = change(1, {.kind = Change::Kind::transfer});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("only voter"));
}

TEST_F(SeveralNodes, WhoStepsDownAndDoesNotLeadHasDoneSo) {
  found(3);
  start_all();
  const NodeId follower = a_follower();
  ASSERT_TRUE(change(follower, {.kind = Change::Kind::step_down}));
  const auto done = change(wait_for_leader(), {.kind = Change::Kind::step_down});
  EXPECT_TRUE(done) << done.error().message;
  expect_agreement();
}

TEST_F(SeveralNodes, OneThatMovedIsFoundAgain) {
  found(3);
  start_all();
  const NodeId moved = a_follower();
  stop(moved);
  const std::string address = fmt::format("127.0.0.1:{}", free_port());
  nodes[moved].options.address = address;
  start(moved);
  const auto is_known = [&](NodeId to) {
    return std::ranges::count(log(to).status().servers, address, &Status::Server::address) == 1;
  };
  for (NodeId id = 1; id <= 3; ++id)
    EXPECT_TRUE(eventually([&] { return is_known(id); })) << "node " << id;
  propose_many(log(moved), 0, 10);
  expect_agreement();
}

TEST_F(SeveralNodes, OneAloneMovesAndOthersAreAdded) {
  prepare({.id = 1, .address = "127.0.0.1:7848"}).secret.clear();
  start(1);
  ASSERT_TRUE(ask(log(1), "alone").get());
  stop(1);
  prepare({.id = 1, .address = fmt::format("127.0.0.1:{}", free_port())});
  start(1);
  Options& second = prepare({.id = 2, .address = fmt::format("127.0.0.1:{}", free_port())});
  second.join = true;
  start(2);
  ASSERT_TRUE(change(1, {.kind = Change::Kind::add, .node = 2, .address = second.address}));
  EXPECT_TRUE(eventually([&] { return membership(1, 2) == Membership::voter; }));
  expect_agreement();
}

TEST_F(SeveralNodes, TheOnlyVoterStartsWithoutTheOthers) {
  prepare({.id = 1, .address = fmt::format("127.0.0.1:{}", free_port())});
  start(1);
  ASSERT_TRUE(change(1, {.kind = Change::Kind::add_observer, .node = 2, .address = "127.0.0.1:1"}));
  ASSERT_TRUE(ask(log(1), "before").get());
  ASSERT_TRUE(log(1).settle());
  stop(1);
  start(1);
  ASSERT_TRUE(ask(log(1), "after").get());
  ASSERT_TRUE(log(1).settle());
  EXPECT_EQ(commands(1), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
}

TEST_F(SeveralNodes, OneOfAGroupThatHasNoSecretIsRefused) {
  found(3);
  start_all();
  wait_for_leader();
  expect_agreement();
  stop(2);
  Options options = nodes[2].options;
  options.secret.clear();
  options.peers.clear();
  ListMachine machine(folder.path() / "2.state");
  const auto refused = Log::open(options, machine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("raft.secret"));
}

TEST_F(SeveralNodes, WithoutRoomOnAnyDiskChangesAreRefusedAndReadsAreNot) {
  found(3);
  for (auto& [id, node] : nodes)
    node.options.min_free_disk = std::uint64_t{1} << 60;
  start_all();
  wait_for_leader();
  for (NodeId id = 1; id <= 3; ++id) {
    Result<std::string> refused = fail(Code::internal, "not asked");
    std::promise<void> answered;
    log(id).propose("no room", milliseconds(3000), [&](Result<std::string> outcome) {
      refused = std::move(outcome);
      answered.set_value();
    });
    answered.get_future().get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("make room"));
    EXPECT_TRUE(barrier(id));
  }
  for (auto& [id, node] : nodes)
    EXPECT_TRUE(commands(id).empty());
}

TEST_F(SeveralNodes, TheLastOneCanGoOnAlone) {
  found(3);
  start_all();
  propose_many(log(wait_for_leader()), 0, 100);
  expect_agreement();
  for (NodeId id = 1; id <= 3; ++id)
    stop(id);
  const auto end = Log::end_on_disk(nodes[2].options);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_GE(end->index, 101u);
  EXPECT_GE(end->term, 1u);
  const auto recovered = Log::recover(nodes[2].options);
  ASSERT_TRUE(recovered) << recovered.error().message;
  EXPECT_EQ(*recovered, *end);
  start(2);
  EXPECT_TRUE(eventually([&] { return leader() == 2; }));
  ASSERT_TRUE(ask(log(2), "alone").get());
  ASSERT_TRUE(log(2).settle());
  EXPECT_TRUE(commands(2).contains("command 99"));
}

// Acknowledged is what a majority has; a leader that was left alone may have more, and nobody was told so.
TEST_F(SeveralNodes, WhichToRecoverIsSaidByTheTermOfTheLastEntryBeforeHowLongTheLogIs) {
  found(3);
  start_all();
  propose_many(log(wait_for_leader()), 0, 10);
  expect_agreement();
  const NodeId alone = leader();
  std::vector<NodeId> others;
  for (NodeId id = 1; id <= 3; ++id)
    if (id != alone) others.push_back(id);
  for (const NodeId id : others)
    stop(id);
  std::vector<Reply> unacknowledged;
  for (int i = 0; i < 40; ++i)
    unacknowledged.push_back(ask(log(alone), "never acknowledged"));
  EXPECT_TRUE(eventually([&] { return log(alone).status().last >= 50; }));
  stop(alone);
  for (const NodeId id : others)
    start(id);
  ASSERT_TRUE(ask(log(others[0]), "acknowledged").get());
  expect_agreement();
  for (const NodeId id : others)
    stop(id);
  const auto shorter = Log::end_on_disk(nodes[others[0]].options);
  const auto longer = Log::end_on_disk(nodes[alone].options);
  ASSERT_TRUE(shorter && longer);
  EXPECT_LT(shorter->index, longer->index);
  EXPECT_GT(*shorter, *longer);
}

TEST_F(SeveralNodes, TheEndOfALogIsToldOnlyToTheNodeThatItBelongsTo) {
  found(3);
  start_all();
  expect_agreement();
  stop(2);
  Options options = nodes[2].options;
  options.node_id = 1;
  const auto refused = Log::end_on_disk(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
}

TEST_F(SeveralNodes, WithOtherPeersNoGroupIsFormed) {
  found(2);
  nodes[2].options.peers.push_back({.id = 3, .address = "127.0.0.1:1"});
  start_all();
  std::this_thread::sleep_for(milliseconds(1000));  // can only make the test pass wrongly
  EXPECT_EQ(leader(), 0u);
  EXPECT_EQ(log(1).status().last, 0u);
}

// Each that has no room asks the others in turn, until one leads that has some.
TEST_F(SeveralNodes, TheOnlyOneWithRoomComesToLead) {
  found(5);
  for (auto& [id, node] : nodes) {
    if (id != 3) node.options.min_free_disk = std::uint64_t{1} << 60;
  }
  start_all();
  EXPECT_TRUE(accepted_at_last(log(1), "taken"));
  EXPECT_TRUE(eventually([&] { return leader() == 3; }));
}

}  // namespace
}  // namespace cc::consensus
