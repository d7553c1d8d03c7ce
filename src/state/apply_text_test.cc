// What a command says is text, but the log must live with any bytes: an entry that cannot be read stops every node.
#include <google/protobuf/message.h>

#include "state/state_test.h"

namespace cc::state {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr const char* kNoText = "\xff\xfe no text";

// All of the message's texts, and one of each of its lists.
void fill(Message& message) {
  const auto& reflection = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->real_containing_oneof() != nullptr) continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      field->is_repeated() ? reflection.AddString(&message, field, kNoText)
                           : reflection.SetString(&message, field, kNoText);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      fill(field->is_repeated() ? *reflection.AddMessage(&message, field)
                                : *reflection.MutableMessage(&message, field));
    }
  }
}

using ApplyText = StateTest;

TEST_F(ApplyText, EachCommandIsAppliedOrRefusedWhateverBytesItsTextsAre) {
  const auto& kinds = *log::Command::descriptor()->FindOneofByName("what");
  ASSERT_GT(kinds.field_count(), 10);
  for (int i = 0; i < kinds.field_count(); ++i) {
    log::Command command = commands.make();
    command.set_request_id(command.request_id() + kNoText);
    command.set_actor(kNoText);
    command.set_address(kNoText);
    fill(*command.GetReflection()->MutableMessage(&command, kinds.field(i)));
    const auto answer = state->apply(++index_, command.SerializeAsString());
    ASSERT_TRUE(answer) << kinds.field(i)->name() << ": " << answer.error().message;
    log::Outcome outcome;
    EXPECT_TRUE(outcome.ParseFromString(*answer)) << kinds.field(i)->name();
    commit();
  }
  done(commands.publish("dev/shop/default/a.yaml", "a: 1"));
}

TEST_F(ApplyText, AnOutcomeThatQuotesThemIsRepeatedAsItWas) {
  log::Command command = commands.make();
  command.mutable_delete_user()->set_name(kNoText);
  const log::Outcome first = run(command);
  EXPECT_THAT(first, IsRefused(Code::not_found));
  reopen();
  const log::Outcome again = run(command);
  EXPECT_TRUE(again.repeated_request());
  EXPECT_EQ(again.message(), first.message());
}

TEST_F(ApplyText, WhatIsNoCommandIsNotPassedOver) {
  const auto answer = state->apply(++index_, "\xff\xff\xff");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::corruption);
  EXPECT_THAT(answer.error().message, testing::HasSubstr("backup"));
}

}  // namespace
}  // namespace cc::state
