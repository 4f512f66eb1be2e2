-- A full sign-in by the page: GET the form, send the code as the page's script does, sign in.
-- Data of a thread is {identifier, password, sms_code}, each encoded for a form.

local data, step, page, csrf, started

function init(args)
   data = own_data(args)
   step = "form"
end

local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }

local function post(action, accept, fields)
   local headers = { ["Content-Type"] = FORM["Content-Type"], ["Cookie"] = page, ["Accept"] = accept }
   local form = "csrf_token=" .. csrf .. "&action=" .. action .. "&identifier=" .. data.identifier .. fields
   return wrk.format("POST", "/login", headers, form)
end

function request()
   if step == "form" then
      started = now_ms()
      return wrk.format("GET", "/login", { ["Accept"] = "text/html" })
   elseif step == "send_code" then
      return post("send_code", "application/json", "")
   end
   return post("login", "text/html", "&password=" .. data.password .. "&sms_code=" .. data.sms_code)
end

local function cookie(headers)
   return (headers["set-cookie"] or headers["Set-Cookie"] or ""):match("^([^;]+)")
end

local answered = {
   form = function(status, headers, body)
      page, csrf = cookie(headers), body:match('name="csrf_token"[^>]-value="([^"]+)"')
      return status == 200 and page and csrf and "send_code"
   end,
   send_code = function(status)
      return status == 200 and "login"
   end,
   login = function(status, headers)
      if status ~= 303 or not cookie(headers) then return nil end
      completed(started)
      return "form"
   end,
}

function response(status, headers, body)
   local following = answered[step](status, headers, body)
   if not following then failed(step, status, body) end
   step = following or "form"
end
