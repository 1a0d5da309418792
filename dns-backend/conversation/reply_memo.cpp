#include "dns-backend/conversation/reply_memo.hpp"

#include <functional>

namespace connector {

std::size_t ReplyMemo::slot_of(std::string_view request) {
  return std::hash<std::string_view>()(request) % slots;
}

ReplyMemo::Kept const* ReplyMemo::find(std::string_view request, std::uint64_t generation) const {
  Kept const& kept = kept_[slot_of(request)];
  return kept.generation == generation && kept.request == request ? &kept : nullptr;
}

void ReplyMemo::keep(std::string_view request, std::uint64_t generation, remote::Method method,
                     std::string_view reply) {
  if (request.size() > request_max || reply.size() > reply_max) {
    return;
  }
  Kept& kept = kept_[slot_of(request)];
  kept.generation = generation;
  kept.method = method;
  kept.request = request;
  kept.reply = reply;
}

}  // namespace connector
