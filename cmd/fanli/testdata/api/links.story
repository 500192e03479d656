# What can be pasted, and what is said where there is nothing.
! key acme
> POST users
> {"external_id":"u-1","locale":"en"}
< 201
{
  "external_id": "u-1",
  "locale": "en",
  "joined_at": "2026-01-15T04:01:00Z",
  "created": true
}
@ X-Fanli-User: u-1
@ Accept-Language: en
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
> POST links
> {"text":"https://mobile.yangkeduo.com/goods.html?goods_id=445566778801"}
< 200
{
  "results": [
    {
      "link": {
        "id": 2,
        "network": "pdd",
        "item": "445566778801",
        "title": "pdd 商品 1",
        "shop": "小店",
        "price_fen": 6300,
        "coupon": {
          "amount_fen": 500,
          "threshold_fen": 1000
        },
        "final_fen": 5800,
        "rebate_fen": 475,
        "net_fen": 5325,
        "url": "https://pdd.test/LINK",
        "at": "2026-01-15T04:01:00Z"
      }
    }
  ]
}
# The same again within half an hour are the same links.
> POST links
> {"text":"https://item.jd.com/100012043970.html and https://mobile.yangkeduo.com/goods.html?goods_id=445566778801 and https://item.jd.com/199912043970.html"}
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
    },
    {
      "link": {
        "id": 2,
        "network": "pdd",
        "item": "445566778801",
        "title": "pdd 商品 1",
        "shop": "小店",
        "price_fen": 6300,
        "coupon": {
          "amount_fen": 500,
          "threshold_fen": 1000
        },
        "final_fen": 5800,
        "rebate_fen": 475,
        "net_fen": 5325,
        "url": "https://pdd.test/LINK",
        "at": "2026-01-15T04:01:00Z"
      }
    },
    {
      "problem": {
        "type": "urn:fanli:problem:offer.not_in_programme",
        "title": "Not Found",
        "status": 404,
        "detail": "These goods bring no rebate. Another shop may have them with one.",
        "code": "not_found",
        "reason": "offer.not_in_programme",
        "request_id": "story-004"
      }
    }
  ]
}
> POST links
> {"text":"https://item.jd.com/199912043970.html"}
< 404
{
  "type": "urn:fanli:problem:offer.not_in_programme",
  "title": "Not Found",
  "status": 404,
  "detail": "These goods bring no rebate. Another shop may have them with one.",
  "code": "not_found",
  "reason": "offer.not_in_programme",
  "request_id": "story-005"
}
> POST links
> {"text":"https://example.com/x"}
< 422
{
  "type": "urn:fanli:problem:api.nothing_found",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "There is no product link or code in this text that can be recognised.",
  "code": "invalid",
  "reason": "api.nothing_found",
  "field": "text",
  "request_id": "story-006"
}
> POST links
> {"text":"just words"}
< 422
{
  "type": "urn:fanli:problem:api.nothing_found",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "There is no product link or code in this text that can be recognised.",
  "code": "invalid",
  "reason": "api.nothing_found",
  "field": "text",
  "request_id": "story-007"
}
> POST links
> {"text":"x","who":"me"}
< 422
{
  "type": "urn:fanli:problem:api.unknown_field",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "There is a field that is not known here.",
  "code": "invalid",
  "reason": "api.unknown_field",
  "field": "who",
  "request_id": "story-008"
}
> GET nothing
< 404
{
  "type": "urn:fanli:problem:api.no_such_path",
  "title": "Not Found",
  "status": 404,
  "detail": "There is nothing here; see /api/v1/openapi.json.",
  "code": "not_found",
  "reason": "api.no_such_path",
  "request_id": "story-009"
}
