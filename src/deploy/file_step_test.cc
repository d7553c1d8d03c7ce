#include "deploy/file_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/script.h"
#include "deploy/service.h"
#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(FileStep, shows_nothing_of_a_secret_and_nothing_of_the_one_before) {
  const Secrets secrets = test_secrets();
  const RenderedFile file{.path = "/etc/x", .content = "port 1\nrequirepass " + secrets.cache + "\n", .secret = true};
  // What begins as the line with the secret is cut off there, whichever secret stood in it.
  EXPECT_EQ(masking(file, secrets), R"( -e 's/^\(requirepass \).*/\1••••/')");
  EXPECT_EQ(masking({.path = "/etc/x", .content = "x\n"}, secrets), "");
  EXPECT_EQ(masking({.path = "/etc/x", .content = "own\n", .secret = true}, secrets), " -e 's/.*/••••/'")
      << "of a secret that is not ours nothing at all";
}

TEST(FileStep, is_validated_before_it_takes_its_place) {
  const Step step =
      file_step("a", {.path = "/etc/x", .content = "x", .validator = "prog -c {}"}, test_secrets(), {}, false);
  const auto validated = step.action.find("prog -c /etc/x.config-center-new"), moved = step.action.find("mv $new $f");
  ASSERT_NE(validated, std::string::npos);
  EXPECT_LT(validated, moved);
}

TEST(FileStep, a_change_by_hand_stops_it_unless_it_may_be_overwritten) {
  const RenderedFile file{.path = "/etc/x", .content = "x\n"};
  EXPECT_THAT(file_step("a", file, test_secrets(), {}, false).check, HasSubstr("status=3"));
  EXPECT_THAT(file_step("a", file, test_secrets(), {}, true).check, Not(HasSubstr("status=3")));
}

TEST(FileStep, what_a_program_writes_itself_is_made_once_while_that_is_stopped) {
  const Step step =
      file_step("a", {.path = "/etc/redis/sentinel.conf", .content = "x\n", .once = true}, test_secrets(), {}, false);
  EXPECT_THAT(step.check, Not(HasSubstr("diff")));
  EXPECT_THAT(step.action, HasSubstr("systemctl stop redis-sentinel.service"));
}

TEST(Script, words_and_documents_are_what_they_were) {
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
  EXPECT_EQ(here_document("a"), " <<'end-of-text'\na\nend-of-text\n");
  EXPECT_EQ(here_document("a\nend-of-text\n"), " <<'end-of-text-'\na\nend-of-text\nend-of-text-\n");
}

TEST(Service, is_known_by_the_files_that_it_reads) {
  EXPECT_EQ(unit_of("/etc/haproxy/haproxy.cfg"), "haproxy.service");
  EXPECT_EQ(unit_of("/etc/systemd/system/haproxy.service.d/config-center.conf"), "haproxy.service");
  EXPECT_EQ(unit_of("/etc/prometheus/alertmanager.yml"), "prometheus-alertmanager.service");
  EXPECT_EQ(unit_of("/etc/prometheus/prometheus.yml"), "prometheus.service");
  EXPECT_EQ(unit_of("/etc/prometheus/targets/node.json"), "") << "read without a restart";
  EXPECT_EQ(unit_of("/usr/libexec/config-center/check_haproxy"), "");
}

}  // namespace
}  // namespace cc::deploy
