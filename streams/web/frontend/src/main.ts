import "./app.css";
import App from "./App.svelte";
import { mount } from "svelte";

const place = document.getElementById("app");
if (place) {
  place.textContent = "";
  mount(App, { target: place });
}
