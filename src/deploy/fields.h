// Reading YAML against what is known: each value into its place, every mistake with its line, and at the end what
// nobody asked for. Inside src/deploy.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/result.h"

namespace cc::deploy {

// The mistakes of a file, and on which line what stands. A place is a path of names: "components.app.hosts".
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  void add(int line, std::string message);
  // At the line of the place, or of the nearest one that it is below.
  void add_at(std::string_view place, std::string message);
  bool told_of(std::string_view place) const { return told_.contains(place); }
  void note(std::string place, int line) { lines_.emplace(std::move(place), line); }

  // invalid_argument with one mistake on each line, in the file's order.
  Result<> verdict() const;

 private:
  std::string file_;
  std::map<std::string, int, std::less<>> lines_;
  std::multimap<int, std::string> found_;
  std::set<std::string, std::less<>> told_;  // places
};

// The members of one mapping.
class Fields {
 public:
  Fields(Mistakes& mistakes, const YAML::Node& mapping, std::string place);
  ~Fields();  // tells of members that were not asked for
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // What is not there stays as it is.
  void read(std::string_view name, std::string& into);
  void read(std::string_view name, bool& into);
  void read(std::string_view name, std::uint16_t& port);  // 1 … 65535
  void read(std::string_view name, std::uint64_t& into);
  void read(std::string_view name, double& into);  // not negative
  void read(std::string_view name, std::chrono::milliseconds& into);
  void read(std::string_view name, std::vector<std::string>& into);            // a list, or one
  void read(std::string_view name, std::map<std::string, std::string>& into);  // nested ones by dotted names
  // Whatever reads itself from text.
  template <class T>
  void parse(std::string_view name, T& into, const std::function<Result<T>(std::string_view)>& read_text) {
    std::string text;
    if (!has(name)) return;
    read(name, text);
    auto value = read_text(text);
    value ? void(into = *std::move(value)) : wrong(name, value.error().message);
  }

  // What is there, as YAML of its own.
  std::string yaml(std::string_view name);

  bool has(std::string_view name) const;
  void require(std::string_view name, std::string_view example);
  // Mappings below; nothing is called when there is none.
  bool section(std::string_view name, const std::function<void(Fields&)>& read_it);
  void each(std::string_view name, const std::function<void(const std::string& key, Fields&)>& read_one);
  void list(std::string_view name, const std::function<void(Fields&)>& read_one);

  void wrong(std::string_view name, std::string_view message);
  std::string place_of(std::string_view name) const;

 private:
  YAML::Node member(std::string_view name);  // undefined when there is none
  bool scalar(std::string_view name, std::string& text);
  void flatten(const YAML::Node& mapping, const std::string& above, std::map<std::string, std::string>& into);

  Mistakes& mistakes_;
  YAML::Node mapping_;
  std::string place_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace cc::deploy
