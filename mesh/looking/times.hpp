// Round trips of links out of what the daemons say.
//
// Input is any text: what does not look as expected is left out.
//
// Threads: pure functions.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace looking {

using Times = std::map<std::string, std::chrono::microseconds>;  // by topology::Link::name()

// Of an agent's status: "links" with "rtt_us", the median of a minute.
Times own_times(std::string_view status_json);
// Of the controller's GET /v1/links: what the worse end reported.
Times reported_times(std::string_view links_json);

}  // namespace looking
