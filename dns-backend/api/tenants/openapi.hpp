// The description of the API, docs/openapi.yaml, as it was when this was built.
//
// Threads: any.
#pragma once

#include <string_view>

namespace api {

std::string_view openapi_yaml();

}  // namespace api
