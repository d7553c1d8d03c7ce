#include "service/transfer.h"

#include <map>

#include <gmock/gmock.h>

#include "base/zip.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Files = std::map<std::string, std::string>;

const Files kFiles{{"default/application.yaml", "a: 1\n"},
                   {"default/conf.d/中文.properties", "键=值\n"},
                   {"beijing/application.yaml", "a: 2\r\n"},
                   {"default/empty.txt", ""}};

std::string zipped(const Files& files) {
  std::vector<ZipEntry> entries;
  for (const auto& [name, content] : files)
    entries.push_back({.name = name, .content = content});
  return write_zip(entries).value();
}

Files unzipped(const std::string& zip) {
  Files files;
  for (auto& entry : read_zip(zip, 1 << 20).value())
    files.emplace(entry.name, entry.content);
  return files;
}

class Transfer : public testing::Test {
 protected:
  Result<Change> import_as(const Call& call, const Files& files, bool dry_run = false, std::string application = "shop",
                           std::string environment = "dev") {
    return node.run(import_configs(node.context(), call,
                                   {.environment = std::move(environment),
                                    .application = std::move(application),
                                    .zip = zipped(files),
                                    .comment = "moved",
                                    .dry_run = dry_run}));
  }
  Result<Change> import(const Files& files, bool dry_run = false) { return import_as(node.admin(), files, dry_run); }

  TestNode node;
};

TEST_F(Transfer, AnApplicationIsOneCommitAndComesOutTheSame) {
  const auto change = import(kFiles);
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->published.size(), kFiles.size());
  for (const auto& one : change->published)
    EXPECT_EQ(one.revision, change->revision);
  const auto zip = node.run(export_configs(node.context(), node.admin(), "dev", "shop"));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip), kFiles);
  EXPECT_EQ(node.audited({.action = "config.import"}).size(), kFiles.size());
}

TEST_F(Transfer, AnEnvironmentMovesToAnother) {
  Files files;
  for (const auto& [name, content] : kFiles) {
    files.emplace("shop/" + name, content);
    files.emplace("store/" + name, content);
  }
  ASSERT_TRUE(import_as(node.admin(), files, false, "", "dev"));
  const auto zip = node.run(export_configs(node.context(), node.admin(), "dev", ""));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip), files);
}

TEST_F(Transfer, WhatIsEqualIsLeftAlone) {
  const auto first = import(kFiles);
  Files changed = kFiles;
  changed["default/application.yaml"] = "a: 9\n";
  const auto second = import(changed);
  ASSERT_TRUE(second);
  for (const auto& one : second->published) {
    const bool is_changed = one.key == "dev/shop/default/application.yaml";
    EXPECT_EQ(one.unchanged, !is_changed) << one.key;
    EXPECT_EQ(one.revision, is_changed ? second->revision : first->revision);
  }
}

TEST_F(Transfer, ADryRunForetellsTheOutcomeAndChangesNothing) {
  ASSERT_TRUE(import(kFiles));
  Files changed = kFiles;
  changed["default/application.yaml"] = "a: 9\n";
  changed["default/new.txt"] = "new";
  const auto revision = node.view().revision();
  const auto forecast = import(changed, true);
  ASSERT_TRUE(forecast);
  EXPECT_EQ(node.view().revision(), revision);
  EXPECT_EQ(node.view().find("dev/shop/default/new.txt"), nullptr);
  const auto outcome = import(changed);
  ASSERT_TRUE(outcome);
  ASSERT_EQ(forecast->published.size(), outcome->published.size());
  std::map<std::string, Published> foretold;
  for (const auto& one : forecast->published)
    foretold[one.key] = one;
  for (const auto& one : outcome->published) {
    EXPECT_EQ(foretold[one.key].version, one.version) << one.key;
    EXPECT_EQ(foretold[one.key].unchanged, one.unchanged) << one.key;
    EXPECT_EQ(foretold[one.key].sha256, one.sha256) << one.key;
  }
}

TEST_F(Transfer, OneBadFileAndNothingIsImportedAndAllBadOnesAreNamed) {
  Files files = kFiles;
  files["default/bad.json"] = "{";
  files["default/worse.yaml"] = "a: 1\na: 2\n";
  files["top-level.txt"] = "no cluster";
  const auto refused = import(files);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("3 of 7 files"));
  EXPECT_THAT(refused.error().details, AllOf(HasSubstr("default/bad.json"), HasSubstr("default/worse.yaml"),
                                             HasSubstr("top-level.txt"), HasSubstr("\"line\":2")));
  EXPECT_EQ(node.view().configs(), 0u);
}

TEST_F(Transfer, WhatIsNoZipAndWhatIsEmptyAreRefused) {
  const auto refused = node.run(import_configs(node.context(), node.admin(),
                                               {.environment = "dev", .application = "shop", .zip = "no zip at all"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  const auto empty = import({});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Code::invalid_argument);
}

TEST_F(Transfer, NotManyAreUnpackedAtOnce) {
  node.machine().hold();
  const std::string zip = zipped(kFiles);
  const auto start = [&](const Call& call) {
    return node.start(import_configs(node.context(), call, {.environment = "dev", .application = "shop", .zip = zip}));
  };
  const Call one = node.admin(), other = node.admin(), third = node.admin();
  const auto first = start(one), second = start(other);
  const auto refused = start(third)->value();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  node.machine().release();
  EXPECT_TRUE(first->value());
  EXPECT_TRUE(second->value());
  EXPECT_TRUE(import({{"default/other.txt", "x"}})) << "there is room again";
}

TEST_F(Transfer, EveryApplicationInTheZipNeedsThePermission) {
  node.user("paul", {{.role = Role::publisher, .scope = {.application = "shop"}}});
  const Call paul = node.as(node.token("paul"));
  EXPECT_TRUE(import_as(paul, {{"shop/default/a", "x"}}, false, ""));
  const auto refused =
      import_as(node.as(node.token("paul")), {{"shop/default/b", "x"}, {"other/default/c", "x"}}, false, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::permission_denied);
  EXPECT_EQ(node.view().find("dev/shop/default/b"), nullptr);
  EXPECT_EQ(node.audited({.action = "config.import", .outcome = "permission_denied"}).size(), 1u);
}

TEST_F(Transfer, AnExportHoldsOnlyWhatMayBeRead) {
  ASSERT_TRUE(import_as(node.admin(), {{"shop/default/a", "x"}, {"other/default/b", "y"}}, false, ""));
  node.user("vera", {{.role = Role::viewer, .scope = {.application = "shop"}}});
  const auto zip = node.run(export_configs(node.context(), node.as(node.token("vera")), "dev", ""));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip), (Files{{"shop/default/a", "x"}}));
  EXPECT_FALSE(node.run(export_configs(node.context(), node.as(node.token("vera")), "dev", "other")));
}

TEST_F(Transfer, AnExportOfWhatIsNotThereIsNotFoundAndOfNothingIsEmpty) {
  const auto missing = node.run(export_configs(node.context(), node.admin(), "nowhere", ""));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  const auto empty = node.run(export_configs(node.context(), node.admin(), "dev", ""));
  ASSERT_TRUE(empty);
  EXPECT_EQ(unzipped(*empty), Files{});
}

}  // namespace
}  // namespace cc::service
