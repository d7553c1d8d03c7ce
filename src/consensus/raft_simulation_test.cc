// A group in one thread: its disks, its network and its time are the test's, and it decides what happens when by a
// seed. Whatever happens, what was committed stays, and is the same everywhere.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "consensus/raft.h"

namespace cc::consensus {
namespace {

using std::chrono::milliseconds;

Entry command(std::uint64_t number) {
  const auto bytes = std::make_shared<const std::string>(fmt::format("{:08}", number));
  return {.term = 0, .kind = EntryKind::command, .bytes = *bytes, .owner = bytes};
}

Members members_of(std::initializer_list<NodeId> ids) {
  Members members;
  for (const NodeId id : ids)
    members.all.push_back({.id = id, .address = fmt::format("10.0.0.{}:7848", id)});
  return members;
}

Entry first_entry(const Members& members) {
  const auto bytes = std::make_shared<const std::string>(members.encode());
  return {.term = 1, .kind = EntryKind::members, .bytes = *bytes, .owner = bytes};
}

class Simulation;

// One node: what its disk has, and, while it runs, its Raft.
class Node final : public Raft::Port {
 public:
  Node(Simulation& simulation, NodeId id) : simulation_(simulation), id_(id) {}

  Result<> store(Term term, NodeId vote) override {
    disk.term = term;
    disk.vote = vote;
    return {};
  }
  Result<> truncate(Index from) override {
    EXPECT_EQ(writing, 0u);
    EXPECT_LE(from, disk.first + disk.entries.size() - 1) << "the disk does not have it";
    disk.entries.resize(from - disk.first);
    return {};
  }
  void send(NodeId to, const Message& message) override;
  std::string reference() const override { return "a snapshot"; }
  void install(NodeId from, const Message& message) override;
  void fetched();

  void write();    // begins
  void written();  // ends, and what waited for it happens
  void crash();
  void start();
  void receive(NodeId from, Message message);
  void take(NodeId from, Message message);
  void after();
  void apply();
  void compact();

  Raft::Stored disk;
  std::unique_ptr<Raft> raft;
  Index writing = 0;  // up to here
  std::deque<std::pair<NodeId, Message>> held;
  std::optional<SnapshotPoint> fetching;
  std::vector<std::string> applied;  // commands; belongs to the disk
  Index applied_index = 0;
  bool empty = false;  // its folder was deleted, and it is not admitted yet
  std::uint64_t life = 0;

  Simulation& simulation_;
  const NodeId id_;
};

struct Letter {
  NodeId from, to;
  std::shared_ptr<const std::string> bytes;
  Mono at;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, std::initializer_list<NodeId> ids, NodeId spares = 0) : random(seed) {
    const Members members = members_of(ids);
    for (const NodeId id : ids) {
      nodes.emplace(id, std::make_unique<Node>(*this, id));
      nodes[id]->disk = {.term = 1, .entries = {first_entry(members)}};
    }
    for (NodeId id = 1; id <= spares; ++id) {
      nodes.emplace(100 + id, std::make_unique<Node>(*this, 100 + id));
      nodes[100 + id]->empty = true;
    }
    for (auto& [id, node] : nodes)
      node->start();
  }

  bool chance(double of) { return std::uniform_real_distribution(0.0, 1.0)(random) < of; }
  std::uint64_t up_to(std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(random); }

  void send(NodeId from, NodeId to, const Message& message) {
    if (cut.contains({from, to}) || chance(loss)) return;
    const auto bytes = std::make_shared<const std::string>(message.encode());
    letters.push_back({from, to, bytes, now + milliseconds(1 + up_to(slowest))});
  }

  // One millisecond.
  void step() {
    now += milliseconds(1);
    std::vector<Letter> due;
    std::erase_if(letters, [&](const Letter& letter) {
      if (letter.at > now) return false;
      due.push_back(letter);
      return true;
    });
    for (const Letter& letter : due) {
      Node& node = *nodes[letter.to];
      if (!node.raft || paused.contains(letter.to)) continue;
      auto message = Message::decode(letter.bytes);
      ASSERT_TRUE(message);
      node.receive(letter.from, *std::move(message));
      if (chance(0.3)) node.after();  // else several come in one turn
    }
    for (auto& [id, node] : nodes) {
      if (!node->raft || paused.contains(id)) continue;
      if (node->writing != 0 && chance(0.3)) node->written();
      if (node->raft->can_be_ticked(node->writing != 0)) ASSERT_TRUE(node->raft->tick(now));
      node->after();
      if (chance(0.05)) node->fetched();
      if (node->empty && chance(0.02)) ask_for_admission(*node);
    }
    check();
  }
  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i)
      step();
  }

  void ask_for_admission(Node& node) {
    Message request;
    request.kind = Message::Kind::admission_request;
    request.round = node.life;
    for (auto& [id, other] : nodes)
      if (id != node.id_) send(node.id_, id, request);
  }

  Node* leader() {
    Node* found = nullptr;
    for (auto& [id, node] : nodes) {
      if (node->raft && node->raft->leads() && (found == nullptr || node->raft->term() > found->raft->term()))
        found = node.get();
    }
    return found;
  }

  void propose() {
    for (auto& [id, node] : nodes) {
      if (!node->raft || !node->raft->takes_entries() || paused.contains(id)) continue;
      std::vector<Entry> entries;
      for (std::uint64_t i = up_to(3); i < 4; ++i)
        entries.push_back(command(++proposed));
      node->raft->append(entries);
      node->after();
    }
  }

  // What holds at every moment.
  void check() {
    for (auto& [id, node] : nodes) {
      if (!node->raft) continue;
      if (node->raft->leads()) {
        const auto [at, fresh] = leaders.emplace(node->raft->term(), id);
        ASSERT_EQ(at->second, id) << "two leaders of term " << node->raft->term();
      }
    }
  }
  // An entry was applied: it is what everybody else applies there.
  void applied(NodeId id, Index index, const Entry& entry) {
    const auto value = std::pair(entry.term, std::string(entry.bytes));
    const auto [at, fresh] = committed.emplace(index, value);
    ASSERT_EQ(at->second, value) << "node " << id << " applied another entry at " << index;
  }

  // Everything works again: all that run get to the same point.
  void recover() {
    cut.clear();
    paused.clear();
    loss = 0;
    slowest = 3;
    for (auto& [id, node] : nodes)
      if (!node->raft) node->start();
  }
  void heal() {
    recover();
    for (int i = 0; i < 60 && !agreed(); ++i)
      run(1000);
    ASSERT_TRUE(agreed()) << "they do not get together: " << description();
    for (auto& [id, node] : nodes) {
      if (node->empty) continue;
      ASSERT_EQ(node->applied, nodes.begin()->second->applied) << "node " << id;
    }
    ASSERT_EQ(committed.rbegin()->first, leader()->raft->commit());
  }
  std::string description() {
    std::string out;
    for (auto& [id, node] : nodes) {
      const Raft& raft = *node->raft;
      out +=
          fmt::format("\nnode {}{}: {}, term {}, leader {}, last {}, on disk {}, commit {}, applied {}, members:", id,
                      node->empty ? " (empty)" : "", to_string(raft.role()), raft.term(), raft.leader(), raft.last(),
                      raft.on_disk(), raft.commit(), node->applied_index);
      for (const Member& member : raft.members().all)
        out += fmt::format(" {} {} (match {})", member.id, to_string(member.membership),
                           raft.follower(member.id, now).match);
    }
    return out;
  }
  bool agreed() {
    Node* leads = leader();
    if (leads == nullptr) return false;
    return std::ranges::all_of(nodes, [&](auto& each) {
      Node& node = *each.second;
      const Member* member = leads->raft->members().find(node.id_);
      if (member == nullptr) return true;
      return !node.empty && node.applied_index == leads->raft->last() && member->membership != Membership::joining;
    });
  }

  std::mt19937_64 random;
  Mono now{std::chrono::hours(1)};
  std::map<NodeId, std::unique_ptr<Node>> nodes;
  std::vector<Letter> letters;
  std::set<std::pair<NodeId, NodeId>> cut;
  std::set<NodeId> paused;
  double loss = 0;
  std::uint64_t slowest = 3;
  std::uint64_t proposed = 0;
  std::map<Term, NodeId> leaders;
  std::map<Index, std::pair<Term, std::string>> committed;
};

void Node::send(NodeId to, const Message& message) {
  simulation_.send(id_, to, message);
}

void Node::start() {
  ++life;
  raft = std::make_unique<Raft>(Raft::Options{.self = id_,
                                              .election_timeout = milliseconds(100),
                                              .heartbeat_interval = milliseconds(20),
                                              .seed = simulation_.random(),
                                              .message_bytes = 40,
                                              .most_bytes_on_the_way = 200},
                                disk, *this);
  ASSERT_TRUE(raft->start(simulation_.now));
  after();
}

void Node::crash() {
  // Of what was being written, some is on disk.
  if (writing != 0) {
    const Index reached = raft->on_disk() + simulation_.up_to(writing - raft->on_disk());
    for (Index index = disk.first + disk.entries.size(); index <= reached; ++index)
      disk.entries.push_back(raft->entry(index));
  }
  raft.reset();
  writing = 0;
  held.clear();
  fetching.reset();
}

void Node::write() {
  if (writing != 0 || raft->last() <= raft->on_disk()) return;
  writing = raft->last();
}

void Node::written() {
  for (Index index = disk.first + disk.entries.size(); index <= writing; ++index)
    disk.entries.push_back(raft->entry(index));
  const Index upto = std::exchange(writing, 0);
  raft->written(upto);
  while (!held.empty() && raft->can_be_told(held.front().second, writing != 0)) {
    auto [from, message] = std::move(held.front());
    held.pop_front();
    take(from, std::move(message));
  }
}

void Node::receive(NodeId from, Message message) {
  if (held.empty() && raft->can_be_told(message, writing != 0)) return take(from, std::move(message));
  held.emplace_back(from, std::move(message));
}

void Node::take(NodeId from, Message message) {
  if (empty) {
    if (message.kind != Message::Kind::admission || message.round != life) return;
    ASSERT_TRUE(raft->admitted(from, message.term));
    empty = false;
    return;
  }
  const auto taken = raft->receive(from, std::move(message), simulation_.now);
  ASSERT_TRUE(taken) << taken.error().message;
}

void Node::install(NodeId, const Message& message) {
  if (!fetching) fetching = message.snapshot;
}

// The snapshot is there; what the machine has comes with it.
void Node::fetched() {
  if (!fetching) return;
  const SnapshotPoint point = *fetching;
  if (raft->lacks(point)) {
    if (writing != 0 || raft->leads() || !raft->is_on_disk()) return;
    disk.snapshot = point;
    disk.first = point.index + 1;
    disk.entries.clear();
    applied.clear();
    for (const auto& [index, value] : simulation_.committed) {
      if (index <= point.index && value.second.size() == 8 && value.second[0] != '\0') applied.push_back(value.second);
    }
    applied_index = point.index;
    raft->installed(point);
  }
  fetching.reset();
}

void Node::after() {
  apply();
  raft->flush(simulation_.now);
  write();
}

void Node::apply() {
  while (applied_index < raft->applicable()) {
    const Index index = std::max(applied_index + 1, raft->first());
    ASSERT_EQ(index, applied_index + 1) << "node " << id_ << " lacks what it should apply";
    const Entry& entry = raft->entry(index);
    simulation_.applied(id_, index, entry);
    if (entry.kind == EntryKind::command) applied.emplace_back(entry.bytes);
    applied_index = index;
  }
}

void Node::compact() {
  if (applied_index <= raft->snapshot().index || writing != 0) return;
  const Term term = raft->term_at(applied_index);
  raft->compact(applied_index, term, simulation_.up_to(5));
  while (disk.first < raft->first()) {
    disk.entries.pop_front();
    ++disk.first;
  }
  disk.snapshot = raft->snapshot();
}

// How many schedules; more with CC_SCHEDULES, one alone with CC_SEED.
std::vector<std::uint64_t> seeds() {
  if (const char* seed = std::getenv("CC_SEED")) return {std::strtoull(seed, nullptr, 10)};
  const char* many = std::getenv("CC_SCHEDULES");
  std::vector<std::uint64_t> out(many == nullptr ? 150 : std::strtoull(many, nullptr, 10));
  std::ranges::generate(out, [next = std::random_device{}() * 1000ull]() mutable { return next++; });
  return out;
}

void disturb(Simulation& simulation, bool may_wipe) {
  const auto any = [&] {
    auto at = simulation.nodes.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(simulation.up_to(simulation.nodes.size() - 1)));
    return at->second.get();
  };
  Node& node = *any();
  switch (simulation.up_to(may_wipe ? 9 : 8)) {
    case 0:
      node.raft ? node.crash() : node.start();
      break;
    case 1:  // and is back before anybody notices
      if (node.raft) node.crash();
      node.start();
      break;
    case 2:
      if (!simulation.paused.erase(node.id_)) simulation.paused.insert(node.id_);
      break;
    case 3:
      simulation.cut.clear();
      break;
    case 4:
      for (auto& [id, other] : simulation.nodes) {
        simulation.cut.insert({id, node.id_});
        simulation.cut.insert({node.id_, id});
      }
      break;
    case 5:
      for (auto& [id, other] : simulation.nodes)
        simulation.cut.insert({id, node.id_});
      break;
    case 6:
      simulation.loss = simulation.chance(0.5) ? 0 : 0.3;
      simulation.slowest = simulation.chance(0.5) ? 3 : 80;
      break;
    case 7:
      if (node.raft) node.compact();
      break;
    case 8:
      if (Node* leads = simulation.leader(); leads != nullptr && leads->raft->takes_entries())
        (void)leads->raft->transfer(0, simulation.now);
      break;
    default: {
      // A deleted folder, of one node at a time: two would be more than a group of three can lose.
      const bool another =
          std::ranges::any_of(simulation.nodes, [&](auto& each) { return each.second->empty || !each.second->raft; });
      Node* leads = simulation.leader();
      if (another || leads == nullptr || leads->raft->change_pending() || leads == &node) break;
      const auto joining = std::ranges::any_of(
          leads->raft->members().all, [](const Member& member) { return member.membership == Membership::joining; });
      if (joining) break;
      node.crash();
      node.disk = {};
      node.applied.clear();
      node.applied_index = 0;
      node.empty = true;
      node.start();
    }
  }
}

void live(std::uint64_t seed, std::initializer_list<NodeId> ids, bool may_wipe) {
  SCOPED_TRACE(fmt::format("CC_SEED={}", seed));
  Simulation simulation(seed, ids);
  simulation.run(400);
  for (int i = 0; i < 100 && !testing::Test::HasFatalFailure(); ++i) {
    for (std::uint64_t steps = 1 + simulation.up_to(20); steps > 0; --steps) {
      simulation.propose();
      simulation.run(static_cast<int>(1 + simulation.up_to(15)));
    }
    if (simulation.chance(0.2)) {
      simulation.recover();
      simulation.run(static_cast<int>(simulation.up_to(600)));
    }
    disturb(simulation, may_wipe);
  }
  if (!testing::Test::HasFatalFailure()) simulation.heal();
}

TEST(RaftSimulation, ThreeNodesAgreeWhateverHappens) {
  for (const std::uint64_t seed : seeds()) {
    live(seed, {1, 2, 3}, false);
    if (HasFatalFailure()) return;
  }
}

TEST(RaftSimulation, FiveNodesAgreeWhateverHappens) {
  for (const std::uint64_t seed : seeds()) {
    live(seed, {1, 2, 3, 4, 5}, false);
    if (HasFatalFailure()) return;
  }
}

TEST(RaftSimulation, ANodeThatLostItsFolderIsTakenInAgain) {
  for (const std::uint64_t seed : seeds()) {
    live(seed, {1, 2, 3, 4, 5}, true);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace cc::consensus
