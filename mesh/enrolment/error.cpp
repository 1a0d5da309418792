#include "mesh/enrolment/error.hpp"

#include "base/result/category.hpp"

namespace enrolment {

namespace {

char const* message(int code) {
  switch (static_cast<errc>(code)) {
    case errc::bad_token:
      return "the token is not valid";
    case errc::wrong_node:
      return "not for this node";
    case errc::bad_proof:
      return "the proof of possession is wrong";
    case errc::bad_request:
      return "bad certificate request";
    case errc::taken:
      return "joined already with another key";
    case errc::removed:
      return "the node was removed";
    case errc::crypto:
      return "cryptography failed";
    case errc::refused:
      return "refused by the controller";
    case errc::bad_state:
      return "unexpected state on disk";
  }
  return "unknown";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("enrolment", message);
  return {static_cast<int>(code), category};
}

}  // namespace enrolment
