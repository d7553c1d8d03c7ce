// What the tests of the network between nodes have in common.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "consensus/network.h"

namespace cc::consensus {

using std::chrono::milliseconds;

// One node: keeps what its network tells it.
class TestNode final : public Network::Receiver {
 public:
  TestNode(NodeId id, std::string address, NetworkOptions options) : options_(std::move(options)) {
    options_.listen = address;
    greeting = {.node = id, .address = std::move(address), .version = 1};
  }
  ~TestNode() override { stop(); }

  void start() {
    auto listening = listen_on_tcp(options_, greeting, *this);
    ASSERT_TRUE(listening) << listening.error().message;
    network = *std::move(listening);
  }
  void stop() { network.reset(); }
  Peer peer() const { return {greeting.node, greeting.address}; }
  NodeId id() const { return greeting.node; }
  Network* operator->() { return network.get(); }
  NetworkOptions& options() { return options_; }

  void received(NodeId from, std::string message) override {
    change([&] { messages[from].push_back(std::move(message)); });
  }
  void met(const Greeting& other) override {
    change([&] {
      greetings.push_back(other);
      ++mets[other.node];
    });
  }
  void lost(NodeId node) override {
    change([&] { ++losses[node]; });
  }
  void refused(const Peer& by, const Error& why) override {
    change([&] { refusals.emplace_back(by, why); });
  }

  // For what happens by itself; the limit only ends a test that has failed.
  template <class Condition>
  bool until(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(60), condition);
  }
  template <class Condition>
  bool until_soon(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, milliseconds(20), condition);
  }
  template <class Look>
  auto look(Look look) {
    const std::lock_guard lock(mutex);
    return look();
  }
  // Until a message of this text has come; the other sends it until then.
  bool hears(TestNode& other, const std::string& text) {
    for (int i = 0; i < 6000; ++i) {
      other->send(id(), text);
      std::unique_lock lock(mutex);
      if (changed.wait_for(lock, milliseconds(10), [&] { return has(other.id(), text); })) return true;
    }
    return false;
  }
  // All that has come, but for what connected() sends.
  std::vector<std::string> heard(NodeId from) {
    return look([&] {
      std::vector<std::string> all = messages[from];
      std::erase(all, "hello");
      return all;
    });
  }
  // The first refusal, once there is one.
  std::pair<Peer, Error> refusal() {
    if (!until([&] { return !refusals.empty(); })) ADD_FAILURE() << "node " << id() << " was not refused";
    return look([&] { return refusals.empty() ? std::pair<Peer, Error>{} : refusals.front(); });
  }
  bool has(NodeId from, const std::string& text) const {  // mutex is held
    const auto found = messages.find(from);
    return found != messages.end() && std::ranges::find(found->second, text) != found->second.end();
  }
  Result<> fetch(const Peer& from, std::string name, const Path& into) {
    std::promise<Result<>> done;
    network->fetch(from, std::move(name), into, [&](Result<> how) { done.set_value(std::move(how)); });
    return done.get_future().get();
  }

  Greeting greeting;
  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex:
  std::map<NodeId, std::vector<std::string>> messages;
  std::vector<Greeting> greetings;
  std::map<NodeId, int> mets, losses;
  std::vector<std::pair<Peer, Error>> refusals;

  std::unique_ptr<Network> network;

 private:
  template <class Change>
  void change(Change how) {
    const std::lock_guard lock(mutex);
    how();
    changed.notify_all();
  }
  NetworkOptions options_;
};

class NetworkFixture : public testing::Test {
 protected:
  // Below those that the system gives to connections, so that none of them takes it before it is listened on; and not
  // those of the process that was started before or after this one.
  static std::string free_address() {
    static int next = 20000 + ::getpid() * 16 % 12000;
    for (;; ++next) {
      if (next >= 32000) next = 20000;
      boost::asio::io_context io;
      boost::asio::ip::tcp::acceptor probe(io);
      const boost::asio::ip::tcp::endpoint at(boost::asio::ip::address_v4::loopback(),
                                              static_cast<std::uint16_t>(next));
      boost::system::error_code error;
      probe.open(at.protocol(), error);
      probe.bind(at, error);
      if (error) continue;
      return "127.0.0.1:" + std::to_string(next++);
    }
  }
  NetworkOptions options() const {
    NetworkOptions options;
    options.secret = "the secret of all nodes of the group";
    options.files = folder.path();
    options.timeout = milliseconds(1000);
    return options;
  }
  std::unique_ptr<TestNode> node(NodeId id) { return node(id, options()); }
  std::unique_ptr<TestNode> node(NodeId id, NetworkOptions options) {
    return std::make_unique<TestNode>(id, free_address(), std::move(options));
  }
  static void connect(TestNode& a, TestNode& b) {
    a->connect_to({a.peer(), b.peer()});
    b->connect_to({a.peer(), b.peer()});
  }
  static void start_and_connect(TestNode& a, TestNode& b) {
    a.start();
    b.start();
    connect(a, b);
  }
  static bool connected(TestNode& a, TestNode& b) { return a.hears(b, "hello") && b.hears(a, "hello"); }

  TempDirectory folder;
};

}  // namespace cc::consensus
