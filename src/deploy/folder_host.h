// For tests: a host that is a folder of this machine's. Scripts run in it, as whoever runs the test.
#pragma once

#include <string>
#include <utility>

#include "base/file.h"
#include "base/process.h"
#include "deploy/connection.h"

namespace cc::deploy {

class FolderHost final : public Connection {
 public:
  FolderHost(Path folder, bool reached) : folder_(std::move(folder)), reached_(reached) {}
  Result<Finished> run(std::string_view script, const Deadline& until) override {
    if (!reached_) return fail(Code::unavailable, "the host cannot be reached");
    const std::string here = "sudo() { shift; \"$@\"; }\ncd '" + folder_.string() + "'\n";
    return run_process({"sh", "-s"}, here + std::string(script), until);
  }
  Result<> put(const Path& from, const std::string& to, const Deadline&) override {
    return cc::copy_file(from, folder_ / to);
  }
  Result<> get(const std::string& from, const Path& to, const Deadline&) override {
    return cc::copy_file(folder_ / from, to);
  }

 private:
  Path folder_;
  bool reached_;
};

}  // namespace cc::deploy
