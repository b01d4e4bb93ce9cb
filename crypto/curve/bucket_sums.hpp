#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base.hpp"
#include "crypto/curve/short_weierstrass.hpp"

namespace keel::crypto::curve {

/// Sums of many affine points, each into one of many buckets, in affine coordinates: pairs of all
/// buckets are added at once and share one inversion, so that a sum costs six products of the field
/// instead of eleven. One thread; memory is kept from one use to the next.
template <class F>
class BucketSums {
  public:
    /// Begins `buckets` empty sums.
    void reset(size_t buckets) {
        bucket_of_.clear();
        given_.clear();
        buckets_ = buckets;
    }
    void add(size_t bucket, const Affine<F>& point) {
        KEEL_ASSERT_SLOW(bucket < buckets_);
        bucket_of_.push_back(static_cast<uint32_t>(bucket));
        given_.push_back(point);
    }
    /// The sum of each bucket. Valid until the next reset().
    std::span<const Affine<F>> sums() {
        sort();
        while (add_pairs()) {
        }
        out_.assign(buckets_, Affine<F>{});
        for (size_t b = 0; b < buckets_; ++b) {
            if (counts_[b] != 0) out_[b] = points_[begins_[b]];
        }
        return out_;
    }

  private:
    // Points by bucket, one bucket after the other.
    void sort() {
        counts_.assign(buckets_, 0);
        for (const uint32_t bucket : bucket_of_) ++counts_[bucket];
        begins_.resize(buckets_);
        uint32_t at = 0;
        for (size_t b = 0; b < buckets_; ++b) {
            begins_[b] = at;
            at += counts_[b];
        }
        points_.resize(given_.size());
        next_ = begins_;
        for (size_t i = 0; i < given_.size(); ++i) points_[next_[bucket_of_[i]]++] = given_[i];
    }

    // What the slope of the sum is divided by; 1 where there is no slope.
    static F divisor(const Affine<F>& p, const Affine<F>& q) noexcept {
        if (p.is_infinity() || q.is_infinity()) return F::one();
        const F run = q.x - p.x;
        if (!run.is_zero()) return run;
        return p.y == q.y ? twice(p.y) : F::one();
    }
    static Affine<F> sum(const Affine<F>& p, const Affine<F>& q, const F& inverse) noexcept {
        if (p.is_infinity()) return q;
        if (q.is_infinity()) return p;
        F rise = q.y - p.y;
        if (p.x == q.x) {
            if (!rise.is_zero()) return {};  // opposite points
            const F xx = square(p.x);
            rise = twice(xx) + xx;
        }
        const F slope = rise * inverse;
        const F x = square(slope) - p.x - q.x;
        return {x, slope * (p.x - x) - p.y};
    }

    // Halves the points of each bucket. False when none has more than one.
    bool add_pairs() {
        divisors_.clear();
        products_.clear();
        F product = F::one();
        for (size_t b = 0; b < buckets_; ++b) {
            const Affine<F>* points = points_.data() + begins_[b];
            for (size_t i = 0; i + 1 < counts_[b]; i += 2) {
                products_.push_back(product);  // of all before
                divisors_.push_back(divisor(points[i], points[i + 1]));
                product = product * divisors_.back();
            }
        }
        if (divisors_.empty()) return false;
        F inverse = product.inverse();
        for (size_t i = divisors_.size(); i-- > 0;) {
            const F own = inverse * products_[i];
            inverse = inverse * divisors_[i];
            divisors_[i] = own;
        }
        const F* own = divisors_.data();
        for (size_t b = 0; b < buckets_; ++b) {
            Affine<F>* points = points_.data() + begins_[b];
            const uint32_t count = counts_[b];
            for (size_t i = 0; i + 1 < count; i += 2) {
                points[i / 2] = sum(points[i], points[i + 1], *own++);
            }
            if (count % 2 == 1) points[count / 2] = points[count - 1];
            counts_[b] = (count + 1) / 2;
        }
        return true;
    }

    size_t buckets_ = 0;
    std::vector<uint32_t> bucket_of_;
    std::vector<Affine<F>> given_, points_, out_;
    std::vector<uint32_t> counts_, begins_, next_;  // of buckets, in points_
    std::vector<F> divisors_, products_;
};

}  // namespace keel::crypto::curve
