#pragma once

#include <cstdint>

namespace keel::crypto {

/// What the bytes of points were.
enum class CurveResult : uint8_t {
    Ok,
    NotCanonical,  // a coordinate is not below p, or is not encoded as it has to be
    NotOnCurve,
    NotInSubgroup,  // a point whose order is not r
};

}  // namespace keel::crypto
