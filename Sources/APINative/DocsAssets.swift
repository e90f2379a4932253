/// The look of the page of routes, and the little that moves on it.
enum DocsAssets {
    static let style = """
        :root{color-scheme:light dark;--ground:light-dark(#fdfcfa,#16181c);--raised:light-dark(#fff,#1d2025);
        --ink:light-dark(#1c1f24,#e6e4df);--faint:light-dark(#5c6470,#9aa1ab);--line:light-dark(#e3dfd8,#30343b);
        --link:light-dark(#0b5cad,#7cb8f5);--code:light-dark(#f3f0ea,#24282e);--get:light-dark(#0b6b4b,#5fd3a6);
        --post:light-dark(#0b5cad,#7cb8f5);--put:light-dark(#7a4b00,#e3b35c);--delete:light-dark(#a3202a,#f2919a)}
        *{box-sizing:border-box}html{scroll-behavior:smooth}
        @media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
        body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif;display:grid;
        grid-template-columns:15rem minmax(0,1fr)}
        nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem 1.5rem 1.5rem;
        border-right:1px solid var(--line)}
        nav ul{list-style:none;margin:1rem 0 0;padding:0}nav li a{display:block;padding:.2rem .5rem;border-radius:.3rem;
        color:var(--ink);text-decoration:none}nav li a:hover{background:var(--code)}
        .brand{margin:0 0 1rem;font-weight:650;font-size:1.15rem}.brand a{color:inherit;text-decoration:none}
        small{color:var(--faint);font-weight:400;font-size:.82em}
        main{padding:1.5rem 2.5rem 6rem;max-width:62rem;width:100%}
        h1{font-size:1.7rem;line-height:1.2;margin:.3rem 0 1rem}
        h2{font-size:1.25rem;margin:2.5rem 0 .3rem;text-transform:capitalize}
        h2+p{margin-top:0;color:var(--faint)}
        h3{font-size:.8rem;margin:1.2rem 0 .4rem;color:var(--faint);text-transform:uppercase;letter-spacing:.05em}
        a{color:var(--link)}code,pre,textarea,input,output{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;
        font-size:.875rem}
        :not(summary)>code{background:var(--code);padding:.08em .3em;border-radius:.25rem;overflow-wrap:anywhere}
        th code{background:none!important;padding:0!important}
        pre{background:var(--code);padding:.8rem 1rem;border-radius:.4rem;overflow:auto;margin:.4rem 0}
        details{border:1px solid var(--line);border-radius:.45rem;margin:.5rem 0;background:var(--raised);
        scroll-margin-top:1rem}
        summary{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline;padding:.55rem .9rem;cursor:pointer;
        list-style:none}summary::-webkit-details-marker{display:none}summary span{color:var(--faint);margin-left:auto;
        text-align:right}details[open]>summary{border-bottom:1px solid var(--line)}
        summary>code{overflow-wrap:anywhere}
        .body{padding:.3rem 1rem 1rem}.method{font-size:.78rem;letter-spacing:.03em;min-width:4.2rem}
        .get{color:var(--get)}.post{color:var(--post)}.put,.patch{color:var(--put)}.delete{color:var(--delete)}
        table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;
        border-top:1px solid var(--line);font-weight:400}tr:first-child>*{border-top:0}
        th{white-space:nowrap}.failure{color:var(--faint)}td:last-child{padding-right:0}
        form.try{border-top:1px solid var(--line);margin-top:1.2rem}
        label{display:grid;grid-template-columns:9rem 1fr;gap:.6rem;align-items:baseline;margin:.3rem 0;
        color:var(--faint);font-size:.9rem}
        input,textarea{width:100%;background:var(--ground);color:var(--ink);border:1px solid var(--line);
        border-radius:.3rem;padding:.35rem .5rem}textarea{resize:vertical}
        .token{display:flex;flex-wrap:wrap;gap:.2rem .6rem;align-items:baseline}.token label{display:inline}
        .token input{max-width:26rem}
        button{font:inherit;background:var(--link);color:var(--ground);border:0;border-radius:.3rem;padding:.35rem 1.1rem;
        cursor:pointer;margin:.3rem 0}
        output{display:block;white-space:pre-wrap;overflow-wrap:anywhere;max-height:28rem;overflow:auto}
        output:not(:empty){background:var(--code);border-radius:.4rem;padding:.8rem 1rem;margin-top:.5rem}
        :focus-visible{outline:2px solid var(--link);outline-offset:2px}[hidden]{display:none!important}
        @media (max-width:50rem){body{display:block}nav{position:static;height:auto;border-right:0;
        border-bottom:1px solid var(--line);padding:1rem}nav ul{display:flex;flex-wrap:wrap;margin-top:.6rem}
        main{padding:1rem}summary span{margin-left:0;text-align:left;width:100%}label{grid-template-columns:1fr}
        td,th{overflow-wrap:anywhere;white-space:normal}}
        @media print{nav,form,.token{display:none}body{display:block}}
        """

    static let script = """
        "use strict";
        // Right behind a proxy with a path of its own, too.
        const base = location.pathname.replace(/docs\\/?$/, "");
        const token = document.getElementById("token");

        function open() {
          const named = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
          if (named && named.tagName === "DETAILS") { named.open = true; named.scrollIntoView(); }
        }
        addEventListener("hashchange", open);
        open();

        document.getElementById("filter").addEventListener("input", (event) => {
          const words = event.target.value.toLowerCase().split(/\\s+/).filter(Boolean);
          let shown = 0;
          for (const section of document.querySelectorAll("section")) {
            let any = false;
            for (const item of section.querySelectorAll(":scope > details")) {
              const text = item.querySelector("summary").textContent.toLowerCase();
              item.hidden = !words.every((word) => text.includes(word));
              any ||= !item.hidden;
            }
            section.hidden = !any;
            shown += any;
          }
          document.getElementById("nothing").hidden = shown > 0;
        });

        function address(form) {
          let path = form.dataset.path;
          const query = new URLSearchParams();
          for (const field of form.querySelectorAll("input")) {
            if (field.dataset.place === "path") {
              if (!field.value) { field.focus(); return null; }
              const parts = "rest" in field.dataset ? field.value.split("/") : [field.value];
              path = path.replace("{" + field.name + "}", () => parts.map(encodeURIComponent).join("/"));
            } else if (field.value) {
              query.append(field.name, field.value);
            }
          }
          return base + path.slice(1) + (query.size ? "?" + query : "");
        }

        async function send(form) {
          const output = form.querySelector("output");
          const url = address(form);
          if (!url) { output.textContent = "Fill in the parts of the path first."; return; }
          const request = { method: form.dataset.method, headers: {} };
          if (token.value) request.headers.Authorization = "Bearer " + token.value;
          const body = form.querySelector("textarea");
          if (body && body.value.trim()) {
            request.body = body.value;
            request.headers["Content-Type"] = "application/json";
          }
          output.textContent = "…";
          try {
            const answer = await fetch(url, request);
            let text = await answer.text();
            try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
            output.textContent = request.method + " " + url + "\\n" + answer.status + " " + answer.statusText
              + (text ? "\\n\\n" + text.slice(0, 200000) : "");
          } catch (error) {
            output.textContent = "No answer: " + error.message;
          }
        }

        for (const form of document.querySelectorAll("form.try")) {
          form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
        }
        """
}
