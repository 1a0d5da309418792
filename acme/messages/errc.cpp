#include "acme/messages/errc.hpp"

namespace protocol {
namespace {

// Boost's category has no virtual destructor; this one is static and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "acme.protocol"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_message:
        return "unexpected answer of the CA";
      case errc::refused:
        return "refused by the CA";
      case errc::unavailable:
        return "the CA cannot serve now";
      case errc::no_account:
        return "the CA does not know the account";
      case errc::bad_nonces:
        return "the CA accepts no nonce";
    }
    return "unknown";
  }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

}  // namespace protocol
