# A client makes a user, who shops, gets the money and withdraws it.
> GET health
< 200
{
  "status": "ok"
}
> GET me
< 401
{
  "type": "urn:fanli:problem:api.unauthenticated",
  "title": "Unauthorized",
  "status": 401,
  "detail": "请在 Authorization 里带上 Bearer 密钥或令牌。",
  "code": "denied",
  "reason": "api.unauthenticated",
  "field": "Authorization",
  "request_id": "story-002"
}
! key acme
> GET me
< 200
{
  "kind": "key",
  "client": "acme",
  "single": false,
  "scopes": [
    "links:write",
    "orders:read",
    "wallet:read",
    "withdrawals:read",
    "withdrawals:write",
    "claims:read",
    "claims:write",
    "payee:read",
    "payee:write",
    "users:write",
    "users:act"
  ]
}
> POST users
> {"external_id":"u-1"}
< 201
{
  "external_id": "u-1",
  "locale": "zh",
  "joined_at": "2026-01-15T04:01:00Z",
  "created": true
}
> POST users
> {"external_id":"u-1","locale":"en"}
< 200
{
  "external_id": "u-1",
  "locale": "zh",
  "joined_at": "2026-01-15T04:01:00Z",
  "created": false
}
@ X-Fanli-User: u-1
> GET wallet
< 200
{
  "pending_fen": 0,
  "available_fen": 0,
  "reserved_fen": 0,
  "paid_fen": 0,
  "debt_fen": 0
}
> GET orders
< 200
{
  "items": []
}
> POST links
> {"text":"看看这个 https://item.jd.com/100012043970.html 喜欢吗"}
< 200
{
  "results": [
    {
      "link": {
        "id": 1,
        "network": "jd",
        "item": "100012043970",
        "title": "jd 商品 0",
        "shop": "小店",
        "price_fen": 5000,
        "coupon": {
          "amount_fen": 500,
          "threshold_fen": 1000
        },
        "final_fen": 4500,
        "rebate_fen": 283,
        "net_fen": 4217,
        "url": "https://jd.test/LINK",
        "at": "2026-01-15T04:01:00Z"
      }
    }
  ]
}
! buy
> GET orders
< 200
{
  "items": [
    {
      "id": 1,
      "network": "jd",
      "number": "260000000002",
      "item": "100012043970",
      "title": "jd 商品 0",
      "shop": "小店",
      "quantity": 1,
      "state": "paid",
      "price_fen": 4500,
      "refunded_fen": 0,
      "disputed": false,
      "matched_by": "tag",
      "created_at": "2026-01-15T04:01:00Z",
      "paid_at": "2026-01-15T04:01:00Z",
      "rebate": {
        "stage": "pending",
        "amount_fen": 283,
        "promised_fen": 283
      }
    }
  ]
}
! receive
! settle
> GET orders/1
< 200
{
  "id": 1,
  "network": "jd",
  "number": "260000000002",
  "item": "100012043970",
  "title": "jd 商品 0",
  "shop": "小店",
  "quantity": 1,
  "state": "settled",
  "price_fen": 4500,
  "refunded_fen": 0,
  "disputed": false,
  "matched_by": "tag",
  "created_at": "2026-01-15T04:01:00Z",
  "paid_at": "2026-01-15T04:01:00Z",
  "received_at": "2026-01-15T04:02:00Z",
  "settled_at": "2026-01-15T04:03:00Z",
  "rebate": {
    "stage": "available",
    "amount_fen": 283,
    "promised_fen": 283,
    "trace": {
      "commission_fen": 405,
      "fee_bps": 0,
      "base_fen": 405,
      "share_bps": 7000,
      "parts": [
        {
          "kind": "base",
          "share_bps": 7000,
          "amount_fen": 0
        }
      ],
      "capped": false,
      "limited": false,
      "below_minimum": false,
      "rebate_fen": 283
    }
  }
}
> GET wallet
< 200
{
  "pending_fen": 0,
  "available_fen": 283,
  "reserved_fen": 0,
  "paid_fen": 0,
  "debt_fen": 0
}
> GET statement?limit=1
< 200
{
  "items": [
    {
      "id": 3,
      "kind": "settle",
      "amount_fen": 283,
      "effect_fen": 0,
      "from": "pending",
      "to": "available",
      "note": "jd 商品 0",
      "at": "2026-01-15T04:04:00Z"
    }
  ],
  "next": "djE6Mw"
}
> GET statement?limit=1&cursor=NEXT
< 200
{
  "items": [
    {
      "id": 1,
      "kind": "earn",
      "amount_fen": 283,
      "effect_fen": 283,
      "to": "pending",
      "note": "jd 商品 0",
      "at": "2026-01-15T04:02:00Z"
    }
  ]
}
# Nobody gets money without an account, and a key makes one withdrawal.
@ Idempotency-Key: withdrawal-1
> POST withdrawals
> {"amount_fen":100}
< 422
{
  "type": "urn:fanli:problem:withdraw.no_payee",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "还没有收款账户，请先设置。",
  "code": "invalid",
  "reason": "withdraw.no_payee",
  "request_id": "story-014"
}
@ Accept-Language: en
> POST withdrawals
> {"amount_fen":100}
< 422
{
  "type": "urn:fanli:problem:withdraw.no_payee",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "There is no payout account yet. Please set one first.",
  "code": "invalid",
  "reason": "withdraw.no_payee",
  "request_id": "story-015"
}
@ Accept-Language:
> GET payee
< 200
{}
> PUT payee
> {"method":"alipay","account":"13800138000","name":"王小明"}
< 200
{
  "method": "alipay",
  "masked": "138****8000 (*明)",
  "changed_at": "2026-01-15T04:04:00Z"
}
> PUT payee
> {"method":"alipay","account":"无","name":"王小明"}
< 422
{
  "type": "urn:fanli:problem:payee.account",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "这不像支付宝账号，请发手机号或邮箱。",
  "code": "invalid",
  "reason": "payee.account",
  "request_id": "story-018"
}
> POST withdrawals
> {"amount_fen":50}
< 422
{
  "type": "urn:fanli:problem:withdraw.below_minimum",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "满 ¥1.00 才能提现，再攒一攒。",
  "code": "invalid",
  "reason": "withdraw.below_minimum",
  "request_id": "story-019"
}
> POST withdrawals
> {"amount_fen":100}
< 201
{
  "id": 1,
  "amount_fen": 100,
  "state": "approved",
  "payee": "138****8000 (*明)",
  "at": "2026-01-15T04:04:00Z",
  "changed_at": "2026-01-15T04:04:00Z"
}
> POST withdrawals
> {"amount_fen":100}
< 201
{
  "id": 1,
  "amount_fen": 100,
  "state": "approved",
  "payee": "138****8000 (*明)",
  "at": "2026-01-15T04:04:00Z",
  "changed_at": "2026-01-15T04:04:00Z"
}
> POST withdrawals
> {"amount_fen":101}
< 409
{
  "type": "urn:fanli:problem:api.idempotency_reused",
  "title": "Conflict",
  "status": 409,
  "detail": "这个 Idempotency-Key 已经用于另一笔金额。",
  "code": "conflict",
  "reason": "api.idempotency_reused",
  "field": "Idempotency-Key",
  "request_id": "story-022"
}
@ Idempotency-Key: withdrawal-2
> POST withdrawals
> {"all":true}
< 409
{
  "type": "urn:fanli:problem:withdraw.open",
  "title": "Conflict",
  "status": 409,
  "detail": "已经有一笔提现在路上，到账后再提下一笔。",
  "code": "conflict",
  "reason": "withdraw.open",
  "request_id": "story-023"
}
> GET withdrawals
< 200
{
  "items": [
    {
      "id": 1,
      "amount_fen": 100,
      "state": "approved",
      "payee": "138****8000 (*明)",
      "at": "2026-01-15T04:04:00Z",
      "changed_at": "2026-01-15T04:04:00Z"
    }
  ]
}
! advance 1m
> GET withdrawals
< 200
{
  "items": [
    {
      "id": 1,
      "amount_fen": 100,
      "state": "paid",
      "payee": "138****8000 (*明)",
      "at": "2026-01-15T04:04:00Z",
      "changed_at": "2026-01-15T04:06:00Z"
    }
  ]
}
> GET wallet
< 200
{
  "pending_fen": 0,
  "available_fen": 183,
  "reserved_fen": 0,
  "paid_fen": 100,
  "debt_fen": 0
}
> POST withdrawals/1/cancel
< 409
{
  "type": "urn:fanli:problem:withdraw.wrong_state",
  "title": "Conflict",
  "status": 409,
  "detail": "这笔提现的状态已经变了。",
  "code": "conflict",
  "reason": "withdraw.wrong_state",
  "request_id": "story-027"
}
> POST withdrawals/7/cancel
< 404
{
  "type": "urn:fanli:problem:withdraw.none",
  "title": "Not Found",
  "status": 404,
  "detail": "没有这笔提现。",
  "code": "not_found",
  "reason": "withdraw.none",
  "request_id": "story-028"
}
# Another order is claimed by its number.
> POST claims
> {"number":"3141592653589793"}
< 200
{
  "id": 1,
  "network": "taobao",
  "number": "3141592653589793",
  "state": "waiting",
  "appealable": false,
  "at": "2026-01-15T04:06:00Z",
  "until": "2026-02-14T04:06:00Z"
}
> POST claims
> {"number":"abc"}
< 422
{
  "type": "urn:fanli:problem:claim.not_a_number",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "这不像订单号。淘宝 18–19 位，京东 11–12 位，拼多多 6 位加 15 位，中间有“-”。",
  "code": "invalid",
  "reason": "claim.not_a_number",
  "request_id": "story-030"
}
> POST claims/1/proof
> {"paid_fen":5000,"day":"2026-01-15"}
< 200
{
  "id": 1,
  "network": "taobao",
  "number": "3141592653589793",
  "state": "waiting",
  "appealable": false,
  "at": "2026-01-15T04:06:00Z",
  "until": "2026-02-14T04:06:00Z"
}
> POST claims/1/appeal
> {"words":"it is mine"}
< 403
{
  "type": "urn:fanli:problem:claim.no_appeal",
  "title": "Forbidden",
  "status": 403,
  "detail": "这单现在不能申诉：还在核对，或者已经申诉过一次。",
  "code": "denied",
  "reason": "claim.no_appeal",
  "request_id": "story-032"
}
> GET claims
< 200
{
  "items": [
    {
      "id": 1,
      "network": "taobao",
      "number": "3141592653589793",
      "state": "waiting",
      "appealable": false,
      "at": "2026-01-15T04:06:00Z",
      "until": "2026-02-14T04:06:00Z"
    }
  ]
}
# The goods go back.
! refund
> GET orders/1
< 200
{
  "id": 1,
  "network": "jd",
  "number": "260000000002",
  "item": "100012043970",
  "title": "jd 商品 0",
  "shop": "小店",
  "quantity": 1,
  "state": "settled",
  "price_fen": 4500,
  "refunded_fen": 4500,
  "disputed": false,
  "matched_by": "tag",
  "created_at": "2026-01-15T04:01:00Z",
  "paid_at": "2026-01-15T04:01:00Z",
  "received_at": "2026-01-15T04:02:00Z",
  "settled_at": "2026-01-15T04:03:00Z",
  "rebate": {
    "stage": "nothing",
    "amount_fen": 0,
    "promised_fen": 283,
    "trace": {
      "commission_fen": 0,
      "fee_bps": 0,
      "base_fen": 0,
      "share_bps": 7000,
      "parts": [
        {
          "kind": "base",
          "share_bps": 7000,
          "amount_fen": 0
        }
      ],
      "capped": false,
      "limited": false,
      "below_minimum": false,
      "rebate_fen": 0
    }
  }
}
> GET wallet
< 200
{
  "pending_fen": 0,
  "available_fen": 0,
  "reserved_fen": 0,
  "paid_fen": 100,
  "debt_fen": 100
}
> GET statement
< 200
{
  "items": [
    {
      "id": 7,
      "kind": "claw",
      "amount_fen": 100,
      "effect_fen": -100,
      "from": "debt",
      "note": "jd 商品 0",
      "at": "2026-01-15T04:07:00Z"
    },
    {
      "id": 6,
      "kind": "revoke",
      "amount_fen": 183,
      "effect_fen": -183,
      "from": "available",
      "note": "jd 商品 0",
      "at": "2026-01-15T04:07:00Z"
    },
    {
      "id": 5,
      "kind": "payout",
      "amount_fen": 100,
      "effect_fen": -100,
      "from": "reserved",
      "withdrawal": 1,
      "at": "2026-01-15T04:06:00Z"
    },
    {
      "id": 4,
      "kind": "reserve",
      "amount_fen": 100,
      "effect_fen": 0,
      "from": "available",
      "to": "reserved",
      "withdrawal": 1,
      "at": "2026-01-15T04:04:00Z"
    },
    {
      "id": 3,
      "kind": "settle",
      "amount_fen": 283,
      "effect_fen": 0,
      "from": "pending",
      "to": "available",
      "note": "jd 商品 0",
      "at": "2026-01-15T04:04:00Z"
    },
    {
      "id": 1,
      "kind": "earn",
      "amount_fen": 283,
      "effect_fen": 283,
      "to": "pending",
      "note": "jd 商品 0",
      "at": "2026-01-15T04:02:00Z"
    }
  ]
}
@ Idempotency-Key: withdrawal-3
> POST withdrawals
> {"all":true}
< 403
{
  "type": "urn:fanli:problem:withdraw.debt",
  "title": "Forbidden",
  "status": 403,
  "detail": "有退货的返利还没补上，补上后就能提现。",
  "code": "denied",
  "reason": "withdraw.debt",
  "request_id": "story-037"
}
