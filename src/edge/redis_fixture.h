// A real redis-server for a test: on a free port, keeping nothing, ended with the object. Its binary must be installed.
#pragma once

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>

#include "base/file.h"
#include "edge/redis.h"

namespace cc::edge {

class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> more = {}) : port_(free_port()), more_(std::move(more)) {
    ::signal(SIGPIPE, SIG_IGN);  // as the node does
    start();
  }
  ~RedisServer() { kill(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  void start() {
    std::vector<std::string> words{"redis-server",
                                   "--bind",
                                   "127.0.0.1",
                                   "--port",
                                   std::to_string(port_),
                                   "--dir",
                                   directory_.path().string(),
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no",
                                   "--logfile",
                                   (directory_.path() / "log").string()};
    words.insert(words.end(), more_.begin(), more_.end());
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execvp(arguments.front(), arguments.data());
      ::_exit(127);
    }
    while (!connect()) {
      ASSERT_EQ(::waitpid(process_, nullptr, WNOHANG), 0) << "redis-server has ended; is it installed?";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }
  void signal(int number) const { ::kill(process_, number); }

  HostAndPort address() const { return {.host = "127.0.0.1", .port = port_}; }
  Result<Redis> connect(Patience patience) const { return Redis::connect(address(), "", std::move(patience)); }
  Result<Redis> connect() const { return connect({.clock = clock_}); }

 private:
  static std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = static_cast<sockaddr*>(static_cast<void*>(&at));
    ::bind(socket, address, size);
    ::getsockname(socket, address, &size);
    ::close(socket);
    return ntohs(at.sin_port);
  }

  SystemClock clock_;
  TempDirectory directory_;
  std::uint16_t port_;
  std::vector<std::string> more_;
  pid_t process_ = 0;
};

}  // namespace cc::edge
