// Hands one text to thousands of clients at the same moment: it is rendered once, compressed once for those who accept
// it, held once however many get it, and given to so many at a time that what the kernel holds for them is bounded.
//
// Who has no turn yet waits in the order of coming. A turn ends when the answer was sent, when its client is gone, or
// after `turn_time`: clients that do not read keep nobody waiting for longer.
//
// Threads: one object on one loop. Answers may outlive it.
#pragma once

#include "base/http/http.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace handing_out {

struct Limits {
  std::size_t octets_under_way = 128U << 20U;  // of answers that are being sent, together
  std::size_t fewest = 64;                     // answers at a time, however large the text
  std::chrono::milliseconds turn_time{5000};
};

class HandingOut {
 public:
  explicit HandingOut(net::asio::any_io_executor executor, Limits limits = {});
  ~HandingOut();
  HandingOut(HandingOut const&) = delete;
  HandingOut& operator=(HandingOut const&) = delete;

  // Answers that are under way go on with what they have.
  void set(std::string json);
  [[nodiscard]] std::string const& text() const;

  // A 200 with the text as it is when the turn comes. `accepted` is the request's Accept-Encoding (RFC 9110 12.5.3).
  // Cancelled with its client, which gives the turn to the next.
  net::Task<net::HttpResponse> answer(std::string accepted);

  [[nodiscard]] std::size_t under_way() const;
  [[nodiscard]] std::size_t waiting() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// Whether "gzip" is among the codings of an Accept-Encoding and not refused by "q=0".
[[nodiscard]] bool accepts_gzip(std::string_view accepted);

}  // namespace handing_out
