# Two clients have users of the same name, who have nothing to do with each other.
! key acme
> POST users
> {"external_id":"u-1"}
< 201
{
  "external_id": "u-1",
  "locale": "zh",
  "joined_at": "2026-01-15T04:01:00Z",
  "created": true
}
@ X-Fanli-User: u-1
> POST links
> {"text":"https://item.jd.com/100012043970.html"}
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
! receive
! settle
> GET wallet
< 200
{
  "pending_fen": 0,
  "available_fen": 283,
  "reserved_fen": 0,
  "paid_fen": 0,
  "debt_fen": 0
}
! key other
> GET wallet
< 404
{
  "type": "urn:fanli:problem:api.no_such_user",
  "title": "Not Found",
  "status": 404,
  "detail": "还没有这位用户，请先用 POST /users 建立。",
  "code": "not_found",
  "reason": "api.no_such_user",
  "field": "X-Fanli-User",
  "request_id": "story-004"
}
> POST users
> {"external_id":"u-1"}
< 201
{
  "external_id": "u-1",
  "locale": "zh",
  "joined_at": "2026-01-15T04:05:00Z",
  "created": true
}
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
> GET orders/1
< 404
{
  "type": "urn:fanli:problem:api.no_such_order",
  "title": "Not Found",
  "status": 404,
  "detail": "没有属于这位用户的这笔订单。",
  "code": "not_found",
  "reason": "api.no_such_order",
  "field": "id",
  "request_id": "story-008"
}
> GET statement
< 200
{
  "items": []
}
> POST withdrawals/1/cancel
< 404
{
  "type": "urn:fanli:problem:withdraw.none",
  "title": "Not Found",
  "status": 404,
  "detail": "没有这笔提现。",
  "code": "not_found",
  "reason": "withdraw.none",
  "request_id": "story-010"
}
> POST claims/1/proof
> {"paid_fen":5000,"day":"2026-01-15"}
< 404
{
  "type": "urn:fanli:problem:api.no_such_claim",
  "title": "Not Found",
  "status": 404,
  "detail": "没有这条找回记录。",
  "code": "not_found",
  "reason": "api.no_such_claim",
  "field": "id",
  "request_id": "story-011"
}
! key other wallet:read
> GET wallet
< 403
{
  "type": "urn:fanli:problem:api.scope",
  "title": "Forbidden",
  "status": 403,
  "detail": "缺少权限：field 里是需要的权限。",
  "code": "denied",
  "reason": "api.scope",
  "field": "users:act",
  "request_id": "story-012"
}
! key other wallet:read users:act
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
< 403
{
  "type": "urn:fanli:problem:api.scope",
  "title": "Forbidden",
  "status": 403,
  "detail": "缺少权限：field 里是需要的权限。",
  "code": "denied",
  "reason": "api.scope",
  "field": "orders:read",
  "request_id": "story-014"
}
