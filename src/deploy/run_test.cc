#include "deploy/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "deploy/folder_host.h"

namespace cc::deploy {
namespace {

using State = Outcome::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Run : public testing::Test {
 protected:
  Run() {
    for (const char* name : {"a", "b", "c"}) {
      topology.hosts.push_back({.name = name, .address = name});
      EXPECT_TRUE(make_directories(folder_of(name)));
    }
  }

  Path folder_of(const std::string& host) const { return directory.path() / host; }
  bool has(const std::string& host, const std::string& file) const {
    return read_file(folder_of(host) / file).has_value();
  }

  Hosts hosts() {
    return {
        .topology = topology,
        .connect =
            [this](const Host& host) { return std::make_unique<FolderHost>(folder_of(host.name), host.name != away); },
        .clock = clock};
  }

  // Makes a file; undone by removing it.
  static Step make(const std::string& host, const std::string& file) {
    return {.host = host,
            .name = file,
            .check = "[ -e " + file + " ] && exit 0\necho " + file + " is made; exit 1\n",
            .action = "touch " + file + "\n",
            .undo = "rm " + file + "\n"};
  }
  static Step broken(const std::string& host) {
    return {.host = host, .name = "broken", .check = "exit 1", .action = "echo 'no room' >&2; exit 1\n", .undo = ""};
  }

  CarriedOut carry(const Stages& stages, bool undo = true) {
    auto carried = carry_out(
        hosts(), stages, undo, [this] { return stop; },
        [this](const Outcome& each) {
          told.push_back(each.host + " " + each.step + " " + std::string(to_string(each.state)));
        });
    EXPECT_TRUE(carried) << carried.error().message;
    return carried ? *std::move(carried) : CarriedOut{.outcomes = {}, .good = false};
  }

  TempDirectory directory;
  Topology topology;
  SystemClock clock;
  std::string away;  // a host that is not reached
  bool stop = false;
  std::vector<std::string> told;
};

TEST_F(Run, a_plan_tells_what_is_to_do_and_changes_nothing) {
  ASSERT_TRUE(write_file(folder_of("a") / "old", ""));
  const auto found =
      plan(hosts(), {{.name = "files", .steps = {make("a", "old"), make("a", "new"), make("b", "new")}}});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)[0].state, State::as_it_is);
  EXPECT_EQ((*found)[1].state, State::to_do);
  EXPECT_EQ((*found)[1].message, "new is made");
  EXPECT_EQ((*found)[2].host, "b");
  EXPECT_FALSE(has("a", "new"));
}

TEST_F(Run, does_what_is_not_so_yet_and_a_second_time_nothing) {
  const Stages stages{{.name = "one", .steps = {make("a", "x"), make("b", "x")}},
                      {.name = "two", .steps = {make("a", "y")}}};
  EXPECT_TRUE(carry(stages).good);
  EXPECT_TRUE(has("a", "x") && has("b", "x") && has("a", "y"));
  told.clear();
  const CarriedOut again = carry(stages);
  EXPECT_TRUE(again.good);
  EXPECT_THAT(again.outcomes, IsEmpty());
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(Run, what_fails_stops_the_stages_after_it_and_all_is_undone_the_last_first) {
  const CarriedOut carried = carry({{.name = "one", .steps = {make("a", "x")}},
                                    {.name = "two", .steps = {make("a", "y"), broken("a"), make("a", "z")}},
                                    {.name = "three", .steps = {make("b", "x")}}});
  EXPECT_FALSE(carried.good);
  EXPECT_THAT(told, ElementsAre("a x begun", "a x done", "a y begun", "a y done", "a broken begun", "a broken failed",
                                "a y undone", "a x undone"));
  EXPECT_THAT(carried.outcomes[2].message, HasSubstr("no room"));
  EXPECT_FALSE(has("a", "x") || has("a", "y") || has("a", "z") || has("b", "x"));
}

TEST_F(Run, what_was_done_one_host_after_the_other_is_undone_so) {
  const CarriedOut carried = carry(
      {{.name = "one", .steps = {make("a", "x"), make("b", "x"), make("c", "x")}},
       {.name = "rolling", .steps = {make("a", "y"), make("b", "y"), broken("c")}, .one_host_after_the_other = true}});
  EXPECT_FALSE(carried.good);
  ASSERT_EQ(told.size(), 17U);
  EXPECT_THAT(std::vector(told.begin() + 12, told.begin() + 14), ElementsAre("b y undone", "a y undone"));
  EXPECT_THAT(std::vector(told.begin() + 14, told.end()),
              UnorderedElementsAre("a x undone", "b x undone", "c x undone"));
}

TEST_F(Run, leaves_what_was_done_when_told_to_and_goes_on_from_there) {
  EXPECT_FALSE(carry({{.name = "one", .steps = {make("a", "x"), broken("a")}}}, false).good);
  EXPECT_TRUE(has("a", "x"));
  told.clear();
  EXPECT_TRUE(carry({{.name = "one", .steps = {make("a", "x"), make("a", "y")}}}).good);
  EXPECT_THAT(told, ElementsAre("a y begun", "a y done"));
}

TEST_F(Run, services_run_again_when_all_files_are_as_they_were) {
  Step service = make("a", "service");
  service.again = "[ ! -e file ] && touch runs-with-the-old-file\n";
  EXPECT_FALSE(carry({{.name = "one", .steps = {make("a", "file"), service, broken("a")}}}).good);
  EXPECT_TRUE(has("a", "runs-with-the-old-file"));
}

TEST_F(Run, an_undo_that_fails_is_told) {
  Step step = make("a", "x");
  step.undo = "echo 'it is gone' >&2; exit 1\n";
  const CarriedOut carried = carry({{.name = "one", .steps = {step, broken("a")}}});
  EXPECT_EQ(carried.outcomes.back().state, State::not_undone);
  EXPECT_THAT(carried.outcomes.back().message, HasSubstr("it is gone"));
}

TEST_F(Run, what_was_done_and_is_not_so_is_a_failure) {
  Step step = make("a", "x");
  step.action = "true\n";
  const CarriedOut carried = carry({{.name = "one", .steps = {step}}});
  EXPECT_FALSE(carried.good);
  EXPECT_THAT(carried.outcomes[0].message, HasSubstr("still not as it should be: x is made"));
}

TEST_F(Run, nothing_is_begun_when_somebody_elses_change_would_be_lost) {
  Step theirs = make("b", "theirs");
  theirs.check = "exit 3\n";
  const auto carried = carry_out(
      hosts(), {{.name = "one", .steps = {make("a", "x"), theirs}}}, true, [] { return false; }, [](const Outcome&) {});
  ASSERT_FALSE(carried);
  EXPECT_EQ(carried.error().code, Code::conflict);
  EXPECT_THAT(carried.error().message, HasSubstr("b: theirs"));
  EXPECT_FALSE(has("a", "x"));
}

TEST_F(Run, nothing_is_begun_when_a_host_is_not_reached) {
  away = "b";
  const auto carried = carry_out(
      hosts(), {{.name = "one", .steps = {make("a", "x"), make("b", "x")}}}, true, [] { return false; },
      [](const Outcome&) {});
  ASSERT_FALSE(carried);
  EXPECT_EQ(carried.error().code, Code::unavailable);
  EXPECT_FALSE(has("a", "x"));
}

TEST_F(Run, ends_between_two_steps_when_it_is_asked_to_stop) {
  stop = true;
  const CarriedOut carried = carry({{.name = "one", .steps = {make("a", "x")}}});
  EXPECT_FALSE(carried.good);
  EXPECT_FALSE(has("a", "x"));
}

TEST_F(Run, one_host_after_the_other_and_a_certain_one_last) {
  ASSERT_TRUE(write_file(folder_of("a") / "leads", ""));
  const Stages stages{{.name = "rolling",
                       .steps = {make("a", "x"), make("b", "x"), make("c", "x")},
                       .one_host_after_the_other = true,
                       .comes_last = "[ -e leads ]\n"}};
  EXPECT_TRUE(carry(stages).good);
  EXPECT_THAT(told, ElementsAre("b x begun", "b x done", "c x begun", "c x done", "a x begun", "a x done"));
}

TEST_F(Run, files_are_put_before_the_step_that_needs_them) {
  ASSERT_TRUE(write_file(directory.path() / "package", "bytes"));
  Step step = make("a", "installed");
  step.upload = Upload{.from = directory.path() / "package", .to = "package"};
  step.action = "mv package installed\n";
  EXPECT_TRUE(carry({{.name = "one", .steps = {step}}}).good);
  EXPECT_EQ(read_file(folder_of("a") / "installed").value(), "bytes");
}

TEST_F(Run, what_hosts_have_made_is_fetched_and_goes_on_to_others) {
  const Path here = directory.path() / "fetched";
  Step make_it = make("a", "made");
  make_it.action = "echo content >made\n";
  make_it.download = Download{.from = "made", .to = here};
  Step take_it = make("b", "taken");
  take_it.action = "[ -e taken ]\n";
  take_it.upload = Upload{.from = directory.path() / "changed", .to = "taken"};
  const auto change = [&]() -> Result<> {
    TRY(const std::string text, read_file(here));
    return write_file(directory.path() / "changed", "changed " + text);
  };
  EXPECT_TRUE(
      carry({{.name = "fetch", .steps = {make_it}, .afterwards = change}, {.name = "put", .steps = {take_it}}}).good);
  EXPECT_EQ(read_file(folder_of("b") / "taken").value(), "changed content\n");
}

TEST_F(Run, what_fails_on_the_operators_side_undoes_the_steps_before_it) {
  const auto refuse = []() -> Result<> { return fail(Code::internal, "no room here"); };
  const CarriedOut carried = carry(
      {{.name = "one", .steps = {make("a", "x")}, .afterwards = refuse}, {.name = "two", .steps = {make("a", "y")}}});
  EXPECT_FALSE(carried.good);
  EXPECT_THAT(told, testing::Contains("a x failed"));
  EXPECT_FALSE(has("a", "x") || has("a", "y"));
}

}  // namespace
}  // namespace cc::deploy
