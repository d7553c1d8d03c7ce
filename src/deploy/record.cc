#include "deploy/record.h"

#include <algorithm>
#include <ranges>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace cc::deploy {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object to_json(const Record& record) {
  json::array outcomes;
  for (const Outcome& each : record.outcomes) {
    outcomes.push_back({{"stage", each.stage},
                        {"host", each.host},
                        {"step", each.step},
                        {"state", to_string(each.state)},
                        {"message", each.message},
                        {"took_ms", each.took.count()}});
  }
  return {{"number", record.number},
          {"operation", record.operation},
          {"who", record.who},
          {"release", record.release},
          {"state", record.state},
          {"began", format_time(record.began)},
          {"ended", format_time(record.ended)},
          {"result", record.result},
          {"steps", std::move(outcomes)}};
}

std::optional<Outcome::State> state_of(std::string_view text) {
  using enum Outcome::State;
  for (const auto state : {as_it_is, to_do, by_hand, begun, done, failed, undone, not_undone}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

Result<Record> from_json(const Path& file, std::string_view text) {
  const auto broken = [&](std::string_view what) {
    return fail(Code::corruption,
                fmt::format("{} is no record of a deployment ({}): move it away", file.string(), what));
  };
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return broken("no JSON");
  const json::object& from = value.get_object();
  Record record{.operation = text_of(from, "operation"),
                .who = text_of(from, "who"),
                .release = text_of(from, "release"),
                .state = text_of(from, "state"),
                .result = text_of(from, "result")};
  const auto* number = from.if_contains("number");
  const auto began = parse_time(text_of(from, "began")), ended = parse_time(text_of(from, "ended"));
  if (number == nullptr || !number->is_number() || !began || !ended) return broken("number, began or ended");
  record.number = number->to_number<std::uint64_t>();
  record.began = *began;
  record.ended = *ended;
  const auto* steps = from.if_contains("steps");
  if (steps == nullptr || !steps->is_array()) return record;
  for (const json::value& each : steps->get_array()) {
    if (!each.is_object()) return broken("steps");
    const json::object& step = each.get_object();
    const auto state = state_of(text_of(step, "state"));
    const auto* took = step.if_contains("took_ms");
    if (!state || took == nullptr || !took->is_int64()) return broken("steps");
    record.outcomes.push_back({.stage = text_of(step, "stage"),
                               .host = text_of(step, "host"),
                               .step = text_of(step, "step"),
                               .state = *state,
                               .message = text_of(step, "message"),
                               .took = std::chrono::milliseconds(took->get_int64())});
  }
  return record;
}

}  // namespace

Path Records::folder_of(std::uint64_t number) const {
  return folder_ / fmt::format("{:04}", number);
}

Path Records::topology_of(std::uint64_t number) const {
  return folder_of(number) / "topology.yaml";
}

std::vector<std::uint64_t> Records::numbers() const {
  std::vector<std::uint64_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (const auto number = parse_uint(entry.path().filename().string(), "number")) found.push_back(*number);
  }
  std::ranges::sort(found);
  return found;
}

std::uint64_t Records::next_number() const {
  const auto found = numbers();
  return found.empty() ? 1 : found.back() + 1;
}

Result<std::vector<Record>> Records::all() const {
  std::vector<Record> records;
  for (const std::uint64_t number : numbers()) {
    const Path file = folder_of(number) / "record.json";
    auto text = read_file(file);
    if (!text && text.error().code == Code::not_found) continue;
    if (!text) return fail(text.error());
    TRY(Record record, from_json(file, *text));
    records.push_back(std::move(record));
  }
  return records;
}

Result<Record> Records::find(std::uint64_t number) const {
  TRY(std::vector<Record> records, all());
  const auto found = std::ranges::find(records, number, &Record::number);
  if (found != records.end()) return std::move(*found);
  std::vector<std::uint64_t> there;
  std::ranges::transform(records, std::back_inserter(there), &Record::number);
  return fail(Code::not_found,
              there.empty() ? fmt::format("there is no record of a deployment in {}", folder_.string())
                            : fmt::format("there is no deployment {}; there are: {}", number, fmt::join(there, ", ")));
}

Result<Record> Records::last_good(std::string_view than) const {
  TRY(std::vector<Record> records, all());
  for (Record& each : std::views::reverse(records)) {
    if (each.result == "good" && !each.state.empty() && each.state != than) return std::move(each);
  }
  return fail(Code::not_found, "there is no earlier deployment that ended well");
}

Result<> Records::keep(const Record& record) const {
  const Path folder = folder_of(record.number);
  TRYV(make_directories(folder, 0700));
  return write_file(folder / "record.json", json::serialize(to_json(record)) + "\n", 0600);
}

Result<> Records::keep_topology(std::uint64_t number, std::string_view text) const {
  TRYV(make_directories(folder_of(number), 0700));
  return write_file(topology_of(number), text, 0600);
}

}  // namespace cc::deploy
