// From what the log answers to what a service answers; inside this folder only.
#pragma once

#include "model/words.h"
#include "proto/command.pb.h"
#include "service/configs.h"

namespace cc::service {

Change change_of(log::Outcome outcome);
void put(const ConfigKey& key, log::Key& into);

}  // namespace cc::service
