// Between the log's messages and what a service takes and answers; inside this folder only.
#pragma once

#include "model/words.h"
#include "proto/command.pb.h"
#include "service/configs.h"

namespace cc::service {

Change change_of(log::Outcome outcome);
void put(const ConfigKey& key, log::Key& into);
void put(const Expected& expected, log::Expected& into);

}  // namespace cc::service
